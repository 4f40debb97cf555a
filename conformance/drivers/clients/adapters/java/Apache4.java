import org.apache.http.Header;
import org.apache.http.client.config.RequestConfig;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.EntityUtils;
import org.apache.http.util.VersionInfo;

public class Apache4 implements Driver.Fetcher {
    public String version() {
        return VersionInfo.loadVersionInfo("org.apache.http.client", getClass().getClassLoader()).getRelease();
    }

    public Driver.Response fetch(String url) throws Exception {
        RequestConfig config = RequestConfig.custom().setSocketTimeout(5000).setRedirectsEnabled(false).build();
        try (CloseableHttpClient client = HttpClients.custom().disableAutomaticRetries().disableContentCompression()
                        .disableRedirectHandling().setDefaultRequestConfig(config).build();
                CloseableHttpResponse answer = client.execute(new HttpGet(url))) {
            Driver.Response response = new Driver.Response();
            response.status = answer.getStatusLine().getStatusCode();
            response.reason = answer.getStatusLine().getReasonPhrase();
            if (answer.getEntity() != null) {
                response.content = EntityUtils.toByteArray(answer.getEntity());
            }
            for (Header field : answer.getAllHeaders()) {
                response.field(field.getName(), field.getValue());
            }
            return response;
        }
    }
}
