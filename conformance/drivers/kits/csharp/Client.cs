// The client that Driver.cs drives: HttpClient.  Replace it by yours.

using System;
using System.IO;
using System.Net.Http;
using System.Threading;

public static class Client
{
    public static string Version
    {
        get { return Environment.Version.ToString(); }
    }

    public const string Features = "drop expect-continue part streamed timeout";

    static HttpClient http;

    // No proxy, no redirect.
    public static Response Exchange(Asked asked)
    {
        http = http ?? new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, UseProxy = false });
        var request = new HttpRequestMessage(new HttpMethod(asked.Method), asked.Url);
        if (asked.Body != null)
        {
            request.Content = asked.Streamed
                ? (HttpContent)new StreamContent(new Once(asked.Body)) : new ByteArrayContent(asked.Body);
        }
        foreach (string[] field in asked.Fields)
        {
            if (!request.Headers.TryAddWithoutValidation(field[0], field[1]) && request.Content != null)
            {
                request.Content.Headers.TryAddWithoutValidation(field[0], field[1]);
            }
        }
        request.Headers.ExpectContinue = asked.ExpectContinue;
        var time = new CancellationTokenSource(asked.Timeout);
        bool isWhole = asked.Consume != "part" && asked.Consume != "drop";
        var until = isWhole ? HttpCompletionOption.ResponseContentRead : HttpCompletionOption.ResponseHeadersRead;
        var answer = http.SendAsync(request, until, time.Token).GetAwaiter().GetResult();
        var response = new Response { Status = (int)answer.StatusCode, Reason = answer.ReasonPhrase };
        response.Content = asked.Taken(answer.Content.ReadAsStreamAsync().GetAwaiter().GetResult());
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

    public static void Release()
    {
        if (http != null)
        {
            http.Dispose();
        }
        http = null;
    }

    // Content whose size is not known and that is read once.
    class Once : MemoryStream
    {
        public Once(byte[] octets) : base(octets)
        {
        }

        public override bool CanSeek
        {
            get { return false; }
        }
    }
}
