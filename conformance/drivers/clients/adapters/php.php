<?php
// The clients in PHP that the kit has: a function for each, by the name in the registry.

use Composer\InstalledVersions;

define('NAME', $argv[2]);

// The fields of a table of lists.
function pairs(array $table): array
{
    $found = [];
    foreach ($table as $name => $values) {
        foreach ($values as $value) {
            $found[] = [$name, $value];
        }
    }
    return $found;
}

function guzzle(string $url, array $options = []): array
{
    $options += ['allow_redirects' => false, 'http_errors' => false, 'timeout' => 5, 'decode_content' => false];
    $answer = (new GuzzleHttp\Client($options))->get($url);
    return [
        $answer->getStatusCode(), $answer->getReasonPhrase(), pairs($answer->getHeaders()), (string) $answer->getBody(),
    ];
}

function symfony(Symfony\Contracts\HttpClient\HttpClientInterface $client, string $url): array
{
    $answer = $client->request('GET', $url, ['max_redirects' => 0, 'timeout' => 5, 'no_proxy' => '*']);
    return [$answer->getStatusCode(), null, pairs($answer->getHeaders(false)), $answer->getContent(false)];
}

$clients = [
    'curl' => function (string $url): array {
        [$lines, $client] = [[], curl_init($url)];
        curl_setopt_array($client, [
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_TIMEOUT => 5,
            CURLOPT_HEADERFUNCTION => function ($client, $line) use (&$lines) {
                $lines[] = rtrim($line, "\r\n");
                return strlen($line);
            },
        ]);
        $content = curl_exec($client);
        if ($content === false) {
            throw new Exception('(' . curl_errno($client) . ') ' . curl_error($client));
        }
        $fields = array_filter(array_map(fn ($line) => explode(':', $line, 2), $lines), fn ($pair) => count($pair) > 1);
        $fields = array_map(fn ($pair) => [$pair[0], trim($pair[1])], array_values($fields));
        return [curl_getinfo($client, CURLINFO_RESPONSE_CODE), null, $fields, $content];
    },
    'guzzle' => fn ($url) => guzzle($url),
    'guzzle-stream' => fn ($url) => guzzle($url, [
        'handler' => GuzzleHttp\HandlerStack::create(new GuzzleHttp\Handler\StreamHandler()),
    ]),
    'symfony-native' => fn ($url) => symfony(new Symfony\Component\HttpClient\NativeHttpClient(), $url),
    'symfony-curl' => fn ($url) => symfony(new Symfony\Component\HttpClient\CurlHttpClient(), $url),
];
$autoload = ['guzzle' => 'GuzzleHttp/autoload.php', 'symfony' => 'Symfony/Component/HttpClient/autoload.php'];
$family = strtok(NAME, '-');
if (NAME === 'curl' || NAME === 'symfony-curl') {
    extension_loaded('curl') || throw new NotInstalled('PHP has no extension curl');
}
if (isset($autoload[$family])) {
    @include_once $autoload[$family];
    $known = ['guzzle' => 'GuzzleHttp\Client', 'symfony' => 'Symfony\Component\HttpClient\NativeHttpClient'];
    class_exists($known[$family]) || throw new NotInstalled("PHP has no {$autoload[$family]}");
}

function version(): string
{
    if (NAME === 'curl') {
        return curl_version()['version'];
    }
    $packages = ['guzzle' => 'php-guzzlehttp-guzzle', 'symfony' => 'php-symfony-http-client'];
    $said = trim((string) shell_exec('dpkg-query -W -f \'${Version}\' ' . $packages[strtok(NAME, '-')] . ' 2>/dev/null'));
    return preg_match('~\d+(\.\d+)+~', $said, $match) ? $match[0] : 'unknown';
}

function fetch(string $url): array
{
    return $GLOBALS['clients'][NAME]($url);
}
