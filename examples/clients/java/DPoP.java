import java.net.http.HttpRequest;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * What a generated client lacks: a DPoP proof (RFC 9449) with every request. Give it to
 * {@code ApiClient.setRequestInterceptor}, and change key and token when they are renewed.
 */
public final class DPoP implements Consumer<HttpRequest.Builder> {
  public Key key;
  public String accessToken;

  public DPoP(Key key, String accessToken) {
    this.key = key;
    this.accessToken = accessToken;
  }

  @Override
  public void accept(HttpRequest.Builder builder) {
    HttpRequest request = builder.copy().build();
    String url = request.uri().toString();
    try {
      builder.setHeader("DPoP", proof(key, request.method(), url, accessToken, null));
    } catch (GeneralSecurityException error) {
      throw new IllegalStateException(error);
    }
    builder.setHeader("Authorization", "DPoP " + accessToken);
  }

  /** For one request only: its {@code jti} may not be used again. Token and nonce may be null. */
  public static String proof(Key key, String method, String url, String accessToken, String nonce)
      throws GeneralSecurityException {
    Map<String, Object> claims = new HashMap<>();
    claims.put("jti", UUID.randomUUID().toString());
    claims.put("htm", method);
    claims.put("htu", url.split("\\?", 2)[0]);
    claims.put("iat", Instant.now().getEpochSecond());
    if (accessToken != null) {
      claims.put("ath", Key.hash(accessToken));
    }
    if (nonce != null) {
      claims.put("nonce", nonce);
    }
    return key.signed(Map.of("typ", "dpop+jwt", "jwk", key.jwk()), claims);
  }
}
