// The side of the client for line_driver.py: it reads requests and answers with responses and errors.
//
//   mcs -out:client.exe -r:System.Net.Http.dll Driver.cs Client.cs && python3 line_driver.py NAME mono client.exe
//
// Client.cs defines `Client.Version`, `Client.Features`, `Client.Exchange`, and `Client.Release`, which closes what the
// exchanges of a case have opened.  Nothing here has to be changed for another client.

using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Text.RegularExpressions;

/// <summary>What the client is asked to do.</summary>
public class Asked
{
    public string Method, Url;
    /// <summary>Names and values of the fields that the caller adds.</summary>
    public List<string[]> Fields = new List<string[]>();
    /// <summary>Null for a request without content.</summary>
    public byte[] Body;
    /// <summary>Whether the content is given in pieces that the client cannot have again.</summary>
    public bool Streamed;
    /// <summary>Whether the client waits for a 100 before the content.</summary>
    public bool ExpectContinue;
    /// <summary>read, part (Amount bytes, then close the response), drop (let go of it unread) or timeout.</summary>
    public string Consume;
    public int Amount;
    public TimeSpan Timeout;

    /// <summary>Returns what is read of <paramref name="content"/>; null if it is dropped.</summary>
    public byte[] Taken(Stream content)
    {
        if (Consume == "drop")
        {
            return null;
        }
        using (content)
        {
            if (Consume == "part")
            {
                return Driver.Exactly(content, Amount);
            }
            var all = new MemoryStream();
            content.CopyTo(all);
            return all.ToArray();
        }
    }
}

/// <summary>What a client shows of a response; a part that it does not report stays null.</summary>
public class Response
{
    public int? Status;
    public string Reason;
    /// <summary>Null if it was dropped.</summary>
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
        byte[] line = Latin1.GetBytes("R " + status + " " + head.Length + " "
            + (response.Content == null ? -1 : response.Content.Length) + "\n");
        var all = new MemoryStream();
        foreach (byte[] part in new[] { line, head, response.Content ?? new byte[0] })
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

    /// <summary>Returns this many bytes, fewer where the stream ends.</summary>
    public static byte[] Exactly(Stream stream, int amount)
    {
        var octets = new byte[amount];
        int size = 0;
        for (int got = 1; size < amount && got > 0; size += got)
        {
            got = stream.Read(octets, size, amount - size);
        }
        Array.Resize(ref octets, size);
        return octets;
    }

    static string Line(Stream stream)
    {
        var line = new MemoryStream();
        for (int one = stream.ReadByte(); one != '\n'; one = stream.ReadByte())
        {
            if (one < 0)
            {
                return null;
            }
            line.WriteByte((byte)one);
        }
        return Latin1.GetString(line.ToArray());
    }

    static Asked Request(string line, Stream rest)
    {
        string[] words = line.Split(' ');
        var asked = new Asked { Method = words[0], Url = words[1], Consume = words[4], Amount = int.Parse(words[5]) };
        foreach (string field in Latin1.GetString(Exactly(rest, int.Parse(words[2]))).Split('\n'))
        {
            if (field != "")
            {
                asked.Fields.Add(field.Split(new[] { ": " }, 2, StringSplitOptions.None));
            }
        }
        asked.Body = words[3] == "-1" ? null : Exactly(rest, int.Parse(words[3]));
        asked.Timeout = TimeSpan.FromMilliseconds(int.Parse(words[6]));
        asked.Streamed = words[7] == "streamed";
        asked.ExpectContinue = words[7] == "expect";
        return asked;
    }

    static byte[] AnswerTo(string line, Stream rest)
    {
        if (line == "release")
        {
            Client.Release();
            return Latin1.GetBytes("released\n");
        }
        Asked asked = Request(line, rest);
        try
        {
            return Answer(Client.Exchange(asked));
        }
        catch (Exception error)
        {
            return Answer(error);
        }
    }

    public static void Main(string[] args)
    {
        Stream answers = Console.OpenStandardOutput();
        Console.SetOut(Console.Error); // what a client prints must not be an answer
        byte[] answer = Latin1.GetBytes("S " + Client.Version + "\t" + Client.Features + "\n");
        var lines = new BufferedStream(Console.OpenStandardInput());
        do
        {
            answers.Write(answer, 0, answer.Length);
            answers.Flush();
            string line = Line(lines);
            answer = line == null ? null : AnswerTo(line, lines);
        }
        while (answer != null);
    }
}
