import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import no.helseid.onboarding.ApiClient;
import no.helseid.onboarding.ApiException;
import no.helseid.onboarding.ApiResponse;
import no.helseid.onboarding.api.ClientApi;
import no.helseid.onboarding.api.ClientApi.APIGetClientRequest;
import no.helseid.onboarding.api.ClientApi.APIUpdateClientRequest;
import no.helseid.onboarding.api.ClientDraftsApi;
import no.helseid.onboarding.api.ClientDraftsApi.APICreateClientDraftRequest;
import no.helseid.onboarding.api.ClientSecretApi;
import no.helseid.onboarding.api.ClientSecretApi.APIAddClientSecretRequest;
import no.helseid.onboarding.api.ClientSecretApi.APIGetClientSecretsRequest;
import no.helseid.onboarding.api.ClientSecretApi.APIRetireClientSecretRequest;
import no.helseid.onboarding.api.OnboardingsApi;
import no.helseid.onboarding.api.OnboardingsApi.APIGetOnboardingRequest;
import no.helseid.onboarding.model.ClaimUpdate;
import no.helseid.onboarding.model.ClientClaim;
import no.helseid.onboarding.model.ClientDraftCreated;
import no.helseid.onboarding.model.ClientSecret;
import no.helseid.onboarding.model.ClientSecretCreated;
import no.helseid.onboarding.model.ClientUpdate;
import no.helseid.onboarding.model.CurrentClient;
import no.helseid.onboarding.model.FieldError;
import no.helseid.onboarding.model.NewClientDraft;
import no.helseid.onboarding.model.Onboarding;
import no.helseid.onboarding.model.Outcome;
import no.helseid.onboarding.model.ProblemDetails;
import no.helseid.onboarding.model.ScopeStatus;
import no.helseid.onboarding.model.Status;

/**
 * An installer on the generated client: from the first request to the old key's end. Against a
 * sandbox, whose controls play the people. Its addresses are in the environment.
 */
public final class Journey {
  private static final String BASE = System.getenv("BASE");
  private static final String ISSUER = System.getenv("ISSUER");
  private static final String CONTROLS = System.getenv("CONTROLS");
  private static final String API_KEY = "sandbox-edi";
  private static final String OWN = "nhn:selvbetjening/client";
  private static final String MESSAGES = "nhn:msh/api";
  private static final String FILES = "nhn:deft/api";
  private static final long PATIENCE_MS = 60_000;
  private static final ObjectMapper JSON = ApiClient.createDefaultObjectMapper();

  private interface Call<T> {
    T make() throws Exception;
  }

  public static void main(String[] arguments) throws Exception {
    Key key = new Key();
    ClientDraftCreated created = askForClient(key);
    String clientId = created.getClientId().toString();
    ApiClient wizard = newApi();
    wizard.setRequestInterceptor(
        request -> request.setHeader("Authorization", "Bearer " + created.getOnboardingToken()));
    OnboardingsApi onboardings = new OnboardingsApi(wizard);
    expect(onboarding(onboardings, clientId).getState().equals("waitingForConfirmation"));
    control("clients/" + clientId + "/decision", Map.of("decision", "approve"));

    DPoP proofs = new DPoP(key, token(clientId, key));
    ApiClient api = newApi().setRequestInterceptor(proofs);
    readStatus(new ClientApi(api), proofs, clientId);
    waitUntilReady(onboardings, clientId);
    changeClient(new ClientApi(api));
    renewKey(new ClientSecretApi(api), proofs, clientId);
    System.out.println("Java: the whole journey.");
  }

  private static ApiClient newApi() {
    ApiClient api = new ApiClient();
    api.updateBaseUri(BASE);
    return api;
  }

  private static ClientDraftCreated askForClient(Key key) throws Exception {
    ApiClient client = newApi();
    client.setRequestInterceptor(request -> request.setHeader("api-key", API_KEY));
    ClientDraftsApi api = new ClientDraftsApi(client);
    NewClientDraft draft =
        new NewClientDraft()
            .publicJwk(JSON.writeValueAsString(key.publicJwk()))
            .apiScopes(List.of(OWN, MESSAGES))
            .audienceSpecificClientClaims(List.of(new ClientClaim().key("herid").value("0")))
            .postClientConfirmationRedirectUri(URI.create("http://localhost:1337/callback"));

    draft.organizationNumber("310000018");
    ProblemDetails problem = refusal(() -> create(api, draft), 400);
    expect(problem.getErrors().stream().map(FieldError::getPointer).toList()
        .equals(List.of("#/organizationNumber")));

    ClientDraftCreated created = create(api, draft.organizationNumber("310000019"));
    System.out.println(
        "Client " + created.getClientId() + "; confirmed at " + created.getConfirmUrl());
    return created;
  }

  private static Onboarding onboarding(OnboardingsApi api, String clientId) throws ApiException {
    return api.getOnboarding(APIGetOnboardingRequest.newBuilder().clientId(clientId).build());
  }

  private static ClientDraftCreated create(ClientDraftsApi api, NewClientDraft draft)
      throws ApiException {
    return api.createClientDraft(
        APICreateClientDraftRequest.newBuilder().newClientDraft(draft).build());
  }

  private static void readStatus(ClientApi clients, DPoP proofs, String clientId)
      throws Exception {
    expect(statusOf(read(clients), MESSAGES) == Status.PENDING);
    control(
        "approvals",
        Map.of("clientId", clientId, "scope", MESSAGES, "decision", "approve"));
    eventually(() -> statusOf(read(clients), MESSAGES) == Status.OK);

    String good = proofs.accessToken;
    proofs.accessToken = "not a token";
    ProblemDetails problem = refusal(() -> read(clients), 401);
    expect(problem.getType().getPath().endsWith("/problems/access-token-rejected"));
    proofs.accessToken = good;
  }

  /** Each request is held until there is something new, or answered 304 after 25 seconds. */
  private static void waitUntilReady(OnboardingsApi api, String clientId) throws ApiException {
    String seen = null;
    for (Outcome outcome = Outcome.PENDING; outcome == Outcome.PENDING; ) {
      APIGetOnboardingRequest request =
          APIGetOnboardingRequest.newBuilder()
              .clientId(clientId)
              .ifNoneMatch(seen)
              .prefer("wait=25")
              .build();
      try {
        ApiResponse<Onboarding> answer = api.getOnboardingWithHttpInfo(request);
        outcome = answer.getData().getOutcome();
        seen = answer.getHeaders().get("etag").get(0);
      } catch (ApiException error) {
        if (error.getCode() != 304) {
          throw error;
        }
      }
      expect(outcome != Outcome.FAILED);
    }
  }

  private static CurrentClient read(ClientApi clients) throws ApiException {
    return clients.getClient(APIGetClientRequest.newBuilder().build());
  }

  /** A change replaces all: what was read goes back, with one scope more. */
  private static void changeClient(ClientApi clients) throws Exception {
    CurrentClient client = read(clients);
    List<String> scopes = new ArrayList<>();
    client.getApiScopes().forEach(scope -> scopes.add(scope.getScope()));
    scopes.add(FILES);
    List<ClaimUpdate> claims =
        client.getAudienceSpecificClientClaims().stream()
            .filter(claim -> claim.getActiveClaimValue() != null)
            .map(claim ->
                new ClaimUpdate().key(claim.getClaimType()).value(claim.getActiveClaimValue()))
            .toList();
    ClientUpdate update =
        new ClientUpdate().apiScopes(scopes).audienceSpecificClientClaims(claims);
    clients.updateClient(APIUpdateClientRequest.newBuilder().clientUpdate(update).build());
    eventually(() -> statusOf(read(clients), FILES) == Status.OK);
  }

  private static void renewKey(ClientSecretApi secrets, DPoP proofs, String clientId)
      throws Exception {
    Key old = proofs.key;
    Key renewed = new Key();
    ClientSecretCreated added =
        secrets.addClientSecret(
            APIAddClientSecretRequest.newBuilder().publicJwk(renewed.publicJwk()).build());
    expect(added.getJwkThumbprint().equals(renewed.thumbprint()));

    proofs.accessToken = token(clientId, renewed);
    proofs.key = renewed;
    retire(secrets, old, 0);
    List<ClientSecret> left =
        secrets.getClientSecrets(APIGetClientSecretsRequest.newBuilder().build());
    expect(left.stream().map(ClientSecret::getJwkThumbprint).toList()
        .equals(List.of(renewed.thumbprint())));
    try {
      AccessToken.get(ISSUER, clientId, old);
      throw new AssertionError("The old key still works.");
    } catch (AccessToken.Refused refused) {
      System.out.println("The old key: " + refused.getMessage());
    }

    ProblemDetails problem = refusal(() -> retire(secrets, renewed, null), 409);
    expect(problem.getType().getPath().endsWith("/problems/last-usable-key"));
  }

  private static Void retire(ClientSecretApi secrets, Key key, Integer graceSeconds)
      throws ApiException {
    secrets.retireClientSecret(
        APIRetireClientSecretRequest.newBuilder()
            .thumbprint(key.thumbprint())
            .graceSeconds(graceSeconds)
            .build());
    return null;
  }

  private static Status statusOf(CurrentClient client, String name) {
    return client.getApiScopes().stream()
        .filter(scope -> scope.getScope().equals(name))
        .map(ScopeStatus::getStatus)
        .findFirst()
        .orElseThrow();
  }

  /** What the service says when it refuses, in the generated client's own type. */
  private static ProblemDetails refusal(Call<?> call, int status) throws Exception {
    try {
      call.make();
    } catch (ApiException error) {
      ProblemDetails problem = JSON.readValue(error.getResponseBody(), ProblemDetails.class);
      expect(error.getCode() == status && problem.getStatus() == status);
      return problem;
    }
    throw new AssertionError("Not refused with " + status + ".");
  }

  /** A new key may reach the token issuer a little later than it was answered here. */
  private static String token(String clientId, Key key) throws Exception {
    for (long until = System.currentTimeMillis() + PATIENCE_MS; ; Thread.sleep(1000)) {
      try {
        return AccessToken.get(ISSUER, clientId, key);
      } catch (AccessToken.Refused refused) {
        if (System.currentTimeMillis() > until) {
          throw refused;
        }
      }
    }
  }

  private static void eventually(Call<Boolean> holds) throws Exception {
    for (long until = System.currentTimeMillis() + PATIENCE_MS; !holds.make(); Thread.sleep(1000)) {
      expect(System.currentTimeMillis() < until);
    }
  }

  private static void expect(boolean holds) {
    if (!holds) {
      throw new AssertionError();
    }
  }

  /** What people do outside an installer. Only a sandbox has it. */
  private static void control(String path, Map<String, String> body)
      throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(CONTROLS + "/" + path))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body)))
            .build();
    HttpResponse<String> answer =
        HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    expect(answer.statusCode() < 300);
  }
}
