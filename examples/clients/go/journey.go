// An installer on the generated client: from the first request to the old key's end.
// Against a sandbox, whose controls play the people. Its addresses are in the environment.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"installer/onboarding"
)

const (
	apiKey   = "sandbox-edi"
	messages = "nhn:msh/api"
	files    = "nhn:deft/api"
	patience = time.Minute
)

var (
	base, issuer, controls = os.Getenv("BASE"), os.Getenv("ISSUER"), os.Getenv("CONTROLS")
	background             = context.Background()
)

func main() {
	key := must(NewKey())
	created := askForClient(key)
	clientID := created.ClientId
	wizard := context.WithValue(background, onboarding.ContextAccessToken, created.OnboardingToken)
	onboardings := newAPI(http.DefaultClient).OnboardingsAPI
	onboardingNow := func() *onboarding.Onboarding {
		found, _, err := onboardings.GetOnboarding(wizard, clientID).Execute()
		succeed(err)
		return found
	}
	expect(onboardingNow().State == "waitingForConfirmation")
	control("clients/"+clientID+"/decision", map[string]string{"decision": "approve"})

	credentials := &Credentials{key, token(clientID, key)}
	api := newAPI(&http.Client{Transport: credentials})
	readStatus(api, credentials, clientID)
	waitUntilReady(onboardings.GetOnboarding(wizard, clientID).Prefer("wait=25"))
	changeClient(api)
	renewKey(api, credentials, clientID)
	fmt.Println("Go: the whole journey.")
}

func newAPI(client *http.Client) *onboarding.APIClient {
	configuration := onboarding.NewConfiguration()
	configuration.Servers = onboarding.ServerConfigurations{{URL: base}}
	configuration.HTTPClient = client
	return onboarding.NewAPIClient(configuration)
}

func askForClient(key *Key) *onboarding.ClientDraftCreated {
	api := newAPI(http.DefaultClient).ClientDraftsAPI
	keys := map[string]onboarding.APIKey{"apiKey": {Key: apiKey}}
	caller := context.WithValue(background, onboarding.ContextAPIKeys, keys)
	jwk := string(must(json.Marshal(key.PublicJwk())))
	draft := onboarding.NewNewClientDraft("310000018", jwk)
	draft.SetApiScopes([]string{clientScope, messages})
	draft.SetAudienceSpecificClientClaims([]onboarding.ClientClaim{{Key: "herid", Value: "0"}})
	draft.SetPostClientConfirmationRedirectUri("http://localhost:1337/callback")

	_, _, err := api.CreateClientDraft(caller).NewClientDraft(*draft).Execute()
	problem := refusal(err, http.StatusBadRequest)
	expect(len(problem.Errors) == 1 && problem.Errors[0].Pointer == "#/organizationNumber")

	draft.SetOrganizationNumber("310000019")
	created, _, err := api.CreateClientDraft(caller).NewClientDraft(*draft).Execute()
	succeed(err)
	fmt.Printf("Client %s; a person confirms it at %s\n", created.ClientId, created.ConfirmUrl)
	return created
}

func readStatus(api *onboarding.APIClient, credentials *Credentials, clientID string) {
	expect(statusOf(read(api), messages) == onboarding.STATUS_PENDING)
	control("approvals", map[string]string{
		"clientId": clientID, "scope": messages, "decision": "approve",
	})
	eventually(func() bool { return statusOf(read(api), messages) == onboarding.STATUS_OK })

	good := credentials.AccessToken
	credentials.AccessToken = "not-a-token"
	_, _, err := api.ClientAPI.GetClient(background).Execute()
	problem := refusal(err, http.StatusUnauthorized)
	expect(strings.HasSuffix(problem.Type, "/problems/access-token-rejected"))
	credentials.AccessToken = good
}

// waitUntilReady asks again and again. Each request is held until there is something new, or
// answered 304 after 25 seconds.
func waitUntilReady(request onboarding.ApiGetOnboardingRequest) {
	for {
		found, answer, err := request.Execute()
		if answer != nil && answer.StatusCode == http.StatusNotModified {
			continue
		}
		succeed(err)
		if found.Outcome == onboarding.OUTCOME_READY {
			return
		}
		expect(found.Outcome == onboarding.OUTCOME_PENDING)
		request = request.IfNoneMatch(answer.Header.Get("ETag"))
	}
}

// changeClient replaces all: what was read goes back, with one scope more.
func changeClient(api *onboarding.APIClient) {
	client := read(api)
	scopes := []string{files}
	for _, scope := range client.ApiScopes {
		scopes = append(scopes, scope.Scope)
	}
	claims := []onboarding.ClaimUpdate{}
	for _, claim := range client.AudienceSpecificClientClaims {
		if value := claim.ActiveClaimValue.Get(); value != nil {
			claims = append(claims, *onboarding.NewClaimUpdate(claim.ClaimType, *value))
		}
	}
	update := onboarding.NewClientUpdate(scopes)
	update.SetAudienceSpecificClientClaims(claims)
	_, _, err := api.ClientAPI.UpdateClient(background).ClientUpdate(*update).Execute()
	succeed(err)
	eventually(func() bool { return statusOf(read(api), files) == onboarding.STATUS_OK })
}

func renewKey(api *onboarding.APIClient, credentials *Credentials, clientID string) {
	secrets := api.ClientSecretAPI
	old, renewed := credentials.Key, must(NewKey())
	added, _, err := secrets.AddClientSecret(background).PublicJwk(*renewed.PublicJwk()).Execute()
	succeed(err)
	expect(added.JwkThumbprint == renewed.Thumbprint())

	credentials.AccessToken = token(clientID, renewed)
	credentials.Key = renewed
	_, err = secrets.RetireClientSecret(background, old.Thumbprint()).GraceSeconds(0).Execute()
	succeed(err)
	left, _, err := secrets.GetClientSecrets(background).Execute()
	succeed(err)
	expect(len(left) == 1 && left[0].JwkThumbprint == renewed.Thumbprint())
	_, err = AccessToken(issuer, clientID, old)
	var refused *TokenRefused
	expect(errors.As(err, &refused))
	fmt.Println("The old key:", refused)

	_, err = secrets.RetireClientSecret(background, renewed.Thumbprint()).Execute()
	problem := refusal(err, http.StatusConflict)
	expect(strings.HasSuffix(problem.Type, "/problems/last-usable-key"))
}

func read(api *onboarding.APIClient) *onboarding.CurrentClient {
	client, _, err := api.ClientAPI.GetClient(background).Execute()
	succeed(err)
	return client
}

func statusOf(client *onboarding.CurrentClient, name string) onboarding.Status {
	for _, scope := range client.ApiScopes {
		if scope.Scope == name {
			return scope.Status
		}
	}
	log.Panicf("The client has no %s.", name)
	return ""
}

// refusal is what the service says when it refuses, in the generated client's own type.
func refusal(err error, status int32) onboarding.ProblemDetails {
	var refused *onboarding.GenericOpenAPIError
	expect(errors.As(err, &refused))
	problem, ok := refused.Model().(onboarding.ProblemDetails)
	expect(ok && problem.Status == status)
	return problem
}

// token waits: a new key may reach the token issuer a little later than it was answered here.
func token(clientID string, key *Key) string {
	for until := time.Now().Add(patience); ; time.Sleep(time.Second) {
		token, err := AccessToken(issuer, clientID, key)
		if err == nil {
			return token
		}
		var refused *TokenRefused
		if !errors.As(err, &refused) || time.Now().After(until) {
			log.Panic(err)
		}
	}
}

func eventually(holds func() bool) {
	for until := time.Now().Add(patience); !holds(); time.Sleep(time.Second) {
		expect(time.Now().Before(until))
	}
}

// control does what people do outside an installer. Only a sandbox has it.
func control(path string, body map[string]string) {
	content := bytes.NewReader(must(json.Marshal(body)))
	answer, err := http.Post(controls+"/"+path, "application/json", content)
	succeed(err)
	defer answer.Body.Close()
	expect(answer.StatusCode < 300)
}

func must[T any](value T, err error) T {
	succeed(err)
	return value
}

func succeed(err error) {
	if err != nil {
		log.Panic(err)
	}
}

func expect(holds bool) {
	if !holds {
		log.Panic("It is not as expected.")
	}
}
