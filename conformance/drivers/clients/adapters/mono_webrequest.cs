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

    public static Response Fetch(string url)
    {
        var request = (HttpWebRequest)WebRequest.Create(url);
        request.Timeout = request.ReadWriteTimeout = 5000;
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
        var content = new MemoryStream();
        using (Stream stream = answer.GetResponseStream())
        {
            stream.CopyTo(content);
        }
        response.Content = content.ToArray();
        foreach (string name in answer.Headers)
        {
            response.Field(name, answer.Headers[name]);
        }
        return response;
    }
}
