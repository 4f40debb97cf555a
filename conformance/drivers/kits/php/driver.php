<?php
// A driver: it answers the messages of httplib-kit with what a client in PHP does.
//
//   php driver.php [FILE [ARGUMENT]]
//
// FILE, by default client.php in this directory, defines NAME, FEATURES, version(), exchange($asked), which returns status,
// reason, fields and content, or throws, and release(), which closes what the exchanges of a case have opened.  Nothing
// here has to be changed for another client.

/** A client that is not installed. */
class NotInstalled extends Exception
{
}

/** What the client is asked to do: by default a GET whose response is read. */
class Asked
{
    public string $method = 'GET';
    /** @var array[] the fields that the caller adds, each a name and a value */
    public array $fields = [];
    /** the content; null for a request without */
    public ?string $body = null;
    /** whether the content is given in pieces that the client cannot have again */
    public bool $streamed = false;
    public bool $expect_continue = false;
    /** read, part (`amount` bytes, then close the response), drop (let go of it unread, its content is null) or timeout */
    public string $consume = 'read';
    public int $amount = 0;
    /** seconds */
    public float $timeout = 5.0;

    public function __construct(public string $url, array $given = [])
    {
        foreach ($given as $key => $value) {
            match ($key) {
                'target' => $this->url = preg_replace('~^(\w+://[^/]+).*~s', '$1', $url) . $value,
                'fields' => $this->fields = $value['value'],
                'body' => $this->body = iconv('UTF-8', 'ISO-8859-1', $value['value']),
                default => $this->$key = $value,
            };
        }
    }

    /** The fields as lines. */
    public function lines(): array
    {
        return array_map(fn ($pair) => "$pair[0]: $pair[1]", $this->fields);
    }
}

// One character for each byte, as the protocol has it; null stays null.
function octets($bytes)
{
    return $bytes === null ? null : iconv('ISO-8859-1', 'UTF-8', (string) $bytes);
}

function causes(Throwable $error): array
{
    $found = [];
    while ($error = $error->getPrevious()) {
        $found[] = octets(get_class($error) . ': ' . $error->getMessage());
    }
    return $found;
}

function outcome(Asked $asked): array
{
    try {
        [$status, $reason, $fields, $content] = exchange($asked);
    } catch (Throwable $error) {
        return ['error' => [
            'class' => get_class($error),
            'bases' => array_values(class_parents($error)),
            'message' => octets($error->getMessage()),
            'causes' => causes($error),
        ]];
    }
    return ['value' => [
        'type' => 'response',
        'status' => $status,
        'reason' => octets($reason),
        'headers' => $fields === null ? null : array_map(fn ($pair) => array_map('octets', $pair), $fields),
        'body' => octets($content),
    ]];
}

function answer(array $message, ?string $absent): array
{
    switch ($message['type']) {
        case 'start':
            return $absent === null
                ? ['name' => NAME, 'version' => version(), 'ops' => ['fetch', 'exchange'], 'features' => FEATURES]
                : ['error' => ['class' => 'NotInstalled', 'message' => $absent]];
        case 'run':
            return ['trace' => array_map(
                fn ($op) => ['id' => $op['id']] + (in_array($op['call'] ?? '', ['fetch', 'exchange'])
                    ? outcome(new Asked($message['url'], $op['kwargs'] ?? []))
                    : ['unsupported' => true]),
                $message['ops']
            )];
        case 'release':
            release();
            return [];
        default:
            return ['unsupported' => $message['type']];
    }
}

ini_set('display_errors', 'stderr');
$file = $argv[1] ?? __DIR__ . '/client.php';
$absent = null;
try {
    require $file;
    outcome(new Asked('http://127.0.0.1:1/')); // loads the client before the first case
    release();
} catch (NotInstalled $error) {
    $absent = $error->getMessage();
}
while (($line = fgets(STDIN)) !== false) {
    $message = json_decode($line, true);
    if ($message['type'] === 'stop') {
        break;
    }
    fwrite(STDOUT, json_encode(answer($message, $absent) + ['serial' => $message['serial']]) . "\n");
}
