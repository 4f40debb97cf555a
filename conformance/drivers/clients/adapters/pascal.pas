// fphttpclient of Free Pascal, for line_driver.py.
{$mode objfpc}{$H+}
uses classes, sysutils, fphttpclient;

function OneLine(const Text: string): string;
var
  Index: integer;
begin
  Result := Text;
  for Index := 1 to length(Result) do
    if Result[Index] in [#13, #10, #9] then
      Result[Index] := ' ';
end;

function Answer(const Url: string): string;
var
  Client: TFPHTTPClient;
  Content: TStringStream;
  Head: string;
  Index: integer;
begin
  Client := TFPHTTPClient.Create(nil);
  Content := TStringStream.Create('');
  try
    Client.IOTimeout := 5000;
    Client.AllowRedirect := false;
    Client.HTTPMethod('GET', Url, Content, []);
    Head := OneLine(Client.ResponseStatusText);
    for Index := 0 to Client.ResponseHeaders.Count - 1 do
      Head := Head + #10 + OneLine(Client.ResponseHeaders[Index]);
    Result := 'R ' + IntToStr(Client.ResponseStatusCode) + ' ' + IntToStr(length(Head)) + ' '
      + IntToStr(length(Content.DataString)) + #10 + Head + Content.DataString;
  finally
    Client.Free;
    Content.Free;
  end;
end;

var
  Url: string;
begin
  write('V ' + {$I %FPCVERSION%} + #10);
  flush(output);
  while not eof do begin
    readln(Url);
    try
      write(Answer(Url));
    except
      on Error: Exception do
        write('E ' + Error.ClassName + #9 + OneLine(Error.Message) + #10);
    end;
    flush(output);
  end;
end.
