// What a generated client lacks: a DPoP proof (RFC 9449) with every request.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"net/http"
	"strings"
	"time"

	"installer/onboarding"
)

// Key signs with ES256. The private part never leaves the machine.
type Key struct {
	private *ecdsa.PrivateKey
	x, y    string
}

// Credentials is a transport for the generated client's http.Client. Change key and token when
// they are renewed.
type Credentials struct {
	Key         *Key
	AccessToken string
}

// RoundTrip says with each request that the client holds the token's key.
func (c *Credentials) RoundTrip(request *http.Request) (*http.Response, error) {
	proof, err := c.Key.Proof(request.Method, request.URL.String(), c.AccessToken, "")
	if err != nil {
		return nil, err
	}
	signed := request.Clone(request.Context())
	signed.Header.Set("Authorization", "DPoP "+c.AccessToken)
	signed.Header.Set("DPoP", proof)
	return http.DefaultTransport.RoundTrip(signed)
}

// NewKey makes a key pair.
func NewKey() (*Key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return &Key{private, coordinate(private.X), coordinate(private.Y)}, nil
}

// Thumbprint is the name of the key at the service and at the token issuer (RFC 7638).
func (k *Key) Thumbprint() string {
	return hash(`{"crv":"P-256","kty":"EC","x":"` + k.x + `","y":"` + k.y + `"}`)
}

// PublicJwk is what the service registers.
func (k *Key) PublicJwk() *onboarding.PublicJwk {
	jwk := onboarding.NewPublicJwk("EC")
	jwk.SetCrv("P-256")
	jwk.SetX(k.x)
	jwk.SetY(k.y)
	jwk.SetAlg("ES256")
	jwk.SetKid(k.Thumbprint())
	return jwk
}

// Proof is for one request only: its jti may not be used again. Token and nonce may be empty.
func (k *Key) Proof(method, url, accessToken, nonce string) (string, error) {
	jti, err := unique()
	if err != nil {
		return "", err
	}
	address, _, _ := strings.Cut(url, "?")
	claims := map[string]any{"jti": jti, "htm": method, "htu": address, "iat": time.Now().Unix()}
	if accessToken != "" {
		claims["ath"] = hash(accessToken)
	}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	jwk := map[string]string{"kty": "EC", "crv": "P-256", "x": k.x, "y": k.y}
	return k.Signed(map[string]any{"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}, claims)
}

// Signed is a JWT.
func (k *Key) Signed(header, claims map[string]any) (string, error) {
	head, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text := base64url(head) + "." + base64url(body)
	digest := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, k.private, digest[:])
	if err != nil {
		return "", err
	}
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	return text + "." + base64url(signature), nil
}

func coordinate(number *big.Int) string { return base64url(number.FillBytes(make([]byte, 32))) }

func base64url(bytes []byte) string { return base64.RawURLEncoding.EncodeToString(bytes) }

func hash(text string) string {
	digest := sha256.Sum256([]byte(text))
	return base64url(digest[:])
}

func unique() (string, error) {
	bytes := make([]byte, 16)
	_, err := rand.Read(bytes)
	return hex.EncodeToString(bytes), err
}
