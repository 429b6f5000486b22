import com.fasterxml.jackson.databind.ObjectMapper;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import no.helseid.onboarding.model.PublicJwk;

/** A key for ES256, and what is signed with it. The private part never leaves the machine. */
public final class Key {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int COORDINATE_BYTES = 32;

  private final KeyPair pair;
  private final Map<String, String> members = new TreeMap<>();
  private final String thumbprint;

  public Key() throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"));
    pair = generator.generateKeyPair();
    if (!(pair.getPublic() instanceof ECPublicKey publicKey)) {
      throw new GeneralSecurityException("This Java makes no EC keys.");
    }
    members.put("crv", "P-256");
    members.put("kty", "EC");
    members.put("x", base64url(coordinate(publicKey.getW().getAffineX())));
    members.put("y", base64url(coordinate(publicKey.getW().getAffineY())));
    // RFC 7638: the members in this order, without spaces.
    thumbprint = hash(json(members));
  }

  /** The name of the key at the service and at the token issuer. */
  public String thumbprint() {
    return thumbprint;
  }

  public PublicJwk publicJwk() {
    return new PublicJwk()
        .kty("EC")
        .crv("P-256")
        .x(members.get("x"))
        .y(members.get("y"))
        .alg("ES256")
        .kid(thumbprint);
  }

  /** The members that a proof's header carries. */
  public Map<String, String> jwk() {
    return members;
  }

  public String signed(Map<String, Object> header, Map<String, Object> claims)
      throws GeneralSecurityException {
    Map<String, Object> whole = new LinkedHashMap<>(header);
    whole.put("alg", "ES256");
    String text = base64url(bytes(json(whole))) + "." + base64url(bytes(json(claims)));
    Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
    signature.initSign(pair.getPrivate());
    signature.update(bytes(text));
    return text + "." + base64url(signature.sign());
  }

  public static String hash(String text) throws GeneralSecurityException {
    return base64url(MessageDigest.getInstance("SHA-256").digest(bytes(text)));
  }

  private static String json(Object value) {
    try {
      return JSON.writeValueAsString(value);
    } catch (com.fasterxml.jackson.core.JsonProcessingException error) {
      throw new IllegalArgumentException(error);
    }
  }

  private static byte[] coordinate(BigInteger number) {
    byte[] bytes = number.toByteArray();
    byte[] padded = new byte[COORDINATE_BYTES];
    byte[] last =
        Arrays.copyOfRange(bytes, Math.max(0, bytes.length - COORDINATE_BYTES), bytes.length);
    System.arraycopy(last, 0, padded, COORDINATE_BYTES - last.length, last.length);
    return padded;
  }

  private static String base64url(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
