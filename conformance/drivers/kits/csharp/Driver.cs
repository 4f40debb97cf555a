// The side of the client for line_driver.py: it reads URLs and answers with responses and errors.
//
//   mcs -out:client.exe -r:System.Net.Http.dll Driver.cs Client.cs && python3 line_driver.py NAME mono client.exe
//
// Client.cs defines `Client.Version` and `Client.Fetch`.  Nothing here has to be changed for another client.

using System;
using System.IO;
using System.Text;
using System.Text.RegularExpressions;

/// <summary>What a client shows of a response; a part that it does not report stays null.</summary>
public class Response
{
    public int? Status;
    public string Reason;
    public byte[] Content = new byte[0];
    internal readonly StringBuilder Fields = new StringBuilder();

    public void Field(string name, string value)
    {
        Fields.Append("\n" + Driver.OneLine(name) + ": " + Driver.OneLine(value));
    }
}

public static class Driver
{
    static readonly Encoding Latin1 = Encoding.GetEncoding(28591);

    public static string OneLine(string text)
    {
        return Regex.Replace(text ?? "", "[\r\n\t]", " ");
    }

    static byte[] Answer(Response response)
    {
        byte[] head = Latin1.GetBytes((response.Reason == null ? "\0" : OneLine(response.Reason)) + response.Fields);
        string status = response.Status == null ? "-" : response.Status.ToString();
        byte[] line = Latin1.GetBytes("R " + status + " " + head.Length + " " + response.Content.Length + "\n");
        var all = new MemoryStream();
        foreach (byte[] part in new[] { line, head, response.Content })
        {
            all.Write(part, 0, part.Length);
        }
        return all.ToArray();
    }

    static byte[] Answer(Exception error)
    {
        string line = "E " + error.GetType().FullName + "\t" + OneLine(error.Message);
        for (Exception cause = error.InnerException; cause != null; cause = cause.InnerException)
        {
            line += "\t" + cause.GetType().FullName + ": " + OneLine(cause.Message);
        }
        return Latin1.GetBytes(line + "\n");
    }

    public static void Main(string[] args)
    {
        Stream answers = Console.OpenStandardOutput();
        Console.SetOut(Console.Error); // what a client prints must not be an answer
        byte[] version = Latin1.GetBytes("V " + Client.Version + "\n");
        answers.Write(version, 0, version.Length);
        answers.Flush();
        for (string url = Console.ReadLine(); url != null; url = Console.ReadLine())
        {
            byte[] answer;
            try
            {
                answer = Answer(Client.Fetch(url));
            }
            catch (Exception error)
            {
                answer = Answer(error);
            }
            answers.Write(answer, 0, answer.Length);
            answers.Flush();
        }
    }
}
