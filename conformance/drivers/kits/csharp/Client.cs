// The client that Driver.cs drives: HttpClient.  Replace it by yours.

using System;
using System.Net.Http;

public static class Client
{
    public static string Version
    {
        get { return Environment.Version.ToString(); }
    }

    static readonly HttpClient Http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, UseProxy = false })
    {
        Timeout = TimeSpan.FromSeconds(5),
    };

    // A GET: no proxy, no redirect.
    public static Response Fetch(string url)
    {
        var answer = Http.GetAsync(url).GetAwaiter().GetResult();
        var response = new Response { Status = (int)answer.StatusCode, Reason = answer.ReasonPhrase };
        response.Content = answer.Content.ReadAsByteArrayAsync().GetAwaiter().GetResult();
        foreach (var group in new System.Net.Http.Headers.HttpHeaders[] { answer.Headers, answer.Content.Headers })
        {
            foreach (var field in group)
            {
                foreach (string value in field.Value)
                {
                    response.Field(field.Key, value);
                }
            }
        }
        return response;
    }
}
