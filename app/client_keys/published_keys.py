"""Keys whose private part stands in a public document: anybody can sign with them.

Each thumbprint was computed from the key as printed, and the printed private part was checked
to belong to it. RFC 7519's examples use the keys of RFC 7515 and 7516.
"""

PUBLISHED_KEYS = {
    "IsUn6_e04MaShXFIISMp4kG62LWzMIPy_MvSA5pJgX8": "RFC 7515, A.2",
    "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U": "RFC 7515, A.3",
    "u5YUSjQ2-2chBi51NSk3t3g7IM4o2KYcnPqPtCNGd3U": "RFC 7515, A.4",
    "xtIsOV1FqKH77AI_A3jdTg5QfdabzqI-LNpYTPi0IgI": "RFC 7516, A.1",
    "_K0fXS8wlsT7Tn3vvZrs9qdKUIqi5AxQ5EVk41xi_BM": "RFC 7516, A.2",
    "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s": "RFC 7517, A.2",
    "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs": "RFC 7517, A.2",
    "D8R4-FeTJfzuDUy8bZ0c4hcwpul-Q11gCPs3mw6-R9Q": "RFC 7517, C.1",
    "_GK0r6GCoJt9zcssg9lay4obIxgCq05ntiRymRHADSU": "RFC 7518, C (Alice)",
    "Vy57XrArUrW0NbpI12tEzDHABxMwrTh6HHXRenSpnCo": "RFC 7518, C (Bob)",
    "dHri3SADZkrush5HU_50AoRhcKFryN-PI6jPBtPL55M": "RFC 7520, 3.2",
    "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI": "RFC 7520, 3.4",
    "h_jutvC-jg3Nwueq8LmdSybXykVsBwk4_5u5Y9JiS7E": "RFC 7520, 5.1",
    "Rt-IyDEhXohvTl_ozKQ9YGflXGuDb3uu3QmqN2LoMwM": "RFC 7520, 5.2",
    "YlKlB7M2wnS0cPn_V7OW-FuDLuWdJ9z4OvPHmhGDfeE": "RFC 7520, 5.4",
    "rTtHPa7sf4UUCCKAww7j-XnhD2AKwOGNIsGDDipf_EM": "RFC 7520, 5.4 (ephemeral)",
    "HsSFalww3yP-dO-lWGYgFcyV5H22oScIFc4V2Y6GOto": "RFC 7520, 5.5",
    "mTVa39KNK8LI9ZgAkyqQOQayaqVO7DXurapqkzEbfMg": "RFC 7520, 5.5 (ephemeral)",
    "dhmdUvVyF_8zhT3ZyMUWTfNZE0__j2uc3rADmc9uaRE": "the sandbox's multi-tenant sample client",
}
