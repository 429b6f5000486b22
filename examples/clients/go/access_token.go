package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	clientScope   = "nhn:selvbetjening/client"
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// TokenRefused is the issuer's own words.
type TokenRefused struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

func (r *TokenRefused) Error() string { return r.Code + ": " + r.Description }

// AccessToken asks the token issuer: private_key_jwt, bound to the key by DPoP. The first answer
// is the issuer's nonce; a proof that holds it gets the token.
func AccessToken(issuer, clientID string, key *Key) (string, error) {
	nonce := ""
	for attempt := 1; ; attempt++ {
		response, err := ask(issuer, clientID, key, nonce)
		if err != nil {
			return "", err
		}
		var answer struct {
			AccessToken string `json:"access_token"`
			TokenRefused
		}
		err = json.NewDecoder(response.Body).Decode(&answer)
		response.Body.Close()
		if err != nil {
			return "", fmt.Errorf("the token issuer answered %s: %w", response.Status, err)
		}
		if response.StatusCode == http.StatusOK {
			return answer.AccessToken, nil
		}
		nonce = response.Header.Get("DPoP-Nonce")
		if answer.Code != "use_dpop_nonce" || nonce == "" || attempt == 5 {
			return "", &answer.TokenRefused
		}
	}
}

func ask(issuer, clientID string, key *Key, nonce string) (*http.Response, error) {
	address := issuer + "/connect/token"
	assertion, err := assertion(issuer, clientID, key)
	if err != nil {
		return nil, err
	}
	proof, err := key.Proof(http.MethodPost, address, "", nonce)
	if err != nil {
		return nil, err
	}
	form := url.Values{
		"grant_type":            {"client_credentials"},
		"client_id":             {clientID},
		"scope":                 {clientScope},
		"client_assertion_type": {assertionType},
		"client_assertion":      {assertion},
	}
	request, err := http.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("DPoP", proof)
	return http.DefaultClient.Do(request)
}

// assertion says who asks. The issuer takes it once, and for a few seconds.
func assertion(issuer, clientID string, key *Key) (string, error) {
	jti, err := unique()
	if err != nil {
		return "", err
	}
	now := time.Now().Unix()
	kid := key.Thumbprint()
	header := map[string]any{"typ": "client-authentication+jwt", "alg": "ES256", "kid": kid}
	claims := map[string]any{
		"iss": clientID, "sub": clientID, "aud": issuer,
		"jti": jti, "iat": now, "nbf": now, "exp": now + 10,
	}
	return key.Signed(header, claims)
}
