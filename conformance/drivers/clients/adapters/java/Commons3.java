import org.apache.commons.httpclient.DefaultHttpMethodRetryHandler;
import org.apache.commons.httpclient.Header;
import org.apache.commons.httpclient.HttpClient;
import org.apache.commons.httpclient.methods.GetMethod;
import org.apache.commons.httpclient.params.HttpMethodParams;

public class Commons3 implements Driver.Exchanger {
    public String version() {
        return "3.1";  // the last one; it does not report its version
    }

    public Driver.Response exchange(Driver.Asked asked) throws Exception {
        HttpClient client = new HttpClient();
        client.getParams().setSoTimeout(5000);
        GetMethod get = new GetMethod(asked.url);
        get.setFollowRedirects(false);
        get.getParams().setParameter(HttpMethodParams.RETRY_HANDLER, new DefaultHttpMethodRetryHandler(0, false));
        try {
            Driver.Response response = new Driver.Response();
            response.status = client.executeMethod(get);
            response.reason = get.getStatusText();
            byte[] content = get.getResponseBody();
            if (content != null) {
                response.content = content;
            }
            for (Header field : get.getResponseHeaders()) {
                response.field(field.getName(), field.getValue());
            }
            return response;
        } finally {
            get.releaseConnection();
        }
    }
}
