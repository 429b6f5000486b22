import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;

/** A token from the token issuer: private_key_jwt, bound to the key by DPoP, with the nonce. */
public final class AccessToken {
  private static final String CLIENT_SCOPE = "nhn:selvbetjening/client";
  private static final String ASSERTION_TYPE =
      "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
  private static final HttpClient HTTP = HttpClient.newHttpClient();
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The issuer's own words: error and error_description. */
  public static final class Refused extends Exception {
    private Refused(JsonNode answer) {
      super(answer.path("error").asText() + ": " + answer.path("error_description").asText());
    }
  }

  private AccessToken() {}

  /** The first answer is the issuer's nonce; a proof that holds it gets the token. */
  public static String get(String issuer, String clientId, Key key)
      throws IOException, InterruptedException, GeneralSecurityException, Refused {
    String nonce = null;
    for (int attempt = 1; ; attempt++) {
      HttpRequest request = request(issuer, clientId, key, nonce);
      HttpResponse<String> response = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
      JsonNode answer = JSON.readTree(response.body());
      if (response.statusCode() == 200) {
        return answer.path("access_token").asText();
      }
      nonce = response.headers().firstValue("DPoP-Nonce").orElse(null);
      boolean wantsNonce = answer.path("error").asText().equals("use_dpop_nonce");
      if (!wantsNonce || nonce == null || attempt == 5) {
        throw new Refused(answer);
      }
    }
  }

  private static HttpRequest request(String issuer, String clientId, Key key, String nonce)
      throws GeneralSecurityException {
    String url = issuer + "/connect/token";
    Map<String, String> form =
        Map.of(
            "grant_type", "client_credentials",
            "client_id", clientId,
            "scope", CLIENT_SCOPE,
            "client_assertion_type", ASSERTION_TYPE,
            "client_assertion", assertion(issuer, clientId, key));
    String body =
        form.entrySet().stream()
            .map(field -> field.getKey() + "=" + encoded(field.getValue()))
            .collect(Collectors.joining("&"));
    return HttpRequest.newBuilder(URI.create(url))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("DPoP", DPoP.proof(key, "POST", url, null, nonce))
        .POST(HttpRequest.BodyPublishers.ofString(body))
        .build();
  }

  /** Says who asks. The issuer takes it once, and for a few seconds. */
  private static String assertion(String issuer, String clientId, Key key)
      throws GeneralSecurityException {
    long now = Instant.now().getEpochSecond();
    return key.signed(
        Map.of("typ", "client-authentication+jwt", "kid", key.thumbprint()),
        Map.of(
            "iss", clientId,
            "sub", clientId,
            "aud", issuer,
            "jti", UUID.randomUUID().toString(),
            "iat", now,
            "nbf", now,
            "exp", now + 10));
  }

  private static String encoded(String value) {
    return URLEncoder.encode(value, StandardCharsets.UTF_8);
  }
}
