// HttpWebRequest, for the driver kit of C#.

using System;
using System.IO;
using System.Net;

public static class Client
{
    public static string Version
    {
        get { return Environment.Version.ToString(); }
    }

    // The registry names only the op `fetch`: unread responses would hold the two connections of a host.
    public const string Features = "";

    public static Response Exchange(Asked asked)
    {
        var request = (HttpWebRequest)WebRequest.Create(asked.Url);
        request.Timeout = request.ReadWriteTimeout = (int)asked.Timeout.TotalMilliseconds;
        request.AllowAutoRedirect = request.KeepAlive = false;
        request.Proxy = null;
        HttpWebResponse answer;
        try
        {
            answer = (HttpWebResponse)request.GetResponse();
        }
        catch (WebException error) // an error status is a response, too
        {
            answer = error.Response as HttpWebResponse;
            if (answer == null || error.Status != WebExceptionStatus.ProtocolError)
            {
                throw;
            }
        }
        var response = new Response { Status = (int)answer.StatusCode, Reason = answer.StatusDescription };
        response.Content = asked.Taken(answer.GetResponseStream());
        foreach (string name in answer.Headers)
        {
            response.Field(name, answer.Headers[name]);
        }
        return response;
    }

    public static void Release()
    {
    }
}
