// The client that Driver.java drives: HttpURLConnection.  Replace it by yours.

import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.URL;

public class Client implements Driver.Exchanger {
    public String version() {
        return System.getProperty("java.version");
    }

    public Driver.Response exchange(Driver.Asked asked) throws Exception {
        HttpURLConnection connection = (HttpURLConnection) new URL(asked.url).openConnection(Proxy.NO_PROXY);
        connection.setInstanceFollowRedirects(false);
        connection.setReadTimeout(5000);
        Driver.Response response = new Driver.Response();
        response.status = connection.getResponseCode();
        response.reason = connection.getResponseMessage();
        try (InputStream content = response.status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            if (content != null) {
                response.content = content.readAllBytes();
            }
        }
        for (int index = 1; connection.getHeaderField(index) != null; index++) {
            response.field(connection.getHeaderFieldKey(index), connection.getHeaderField(index));
        }
        connection.disconnect();
        return response;
    }
}
