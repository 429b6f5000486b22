import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * One POST as a Java program sends it: the default client, which offers to go over to HTTP/2.
 * Arguments: the address, the file of the body, then names and values of headers.
 * Prints the status, the content type, and the body.
 */
public class Post {
    public static void main(String[] arguments) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(arguments[0]))
                .timeout(Duration.ofSeconds(30))
                .POST(HttpRequest.BodyPublishers.ofFile(Path.of(arguments[1])));
        for (int i = 2; i < arguments.length; i += 2) {
            request.header(arguments[i], arguments[i + 1]);
        }
        HttpResponse<String> response = HttpClient.newHttpClient()
                .send(request.build(), HttpResponse.BodyHandlers.ofString());
        System.out.println(response.statusCode());
        System.out.println(response.headers().firstValue("content-type").orElse(""));
        System.out.println(response.body());
    }
}
