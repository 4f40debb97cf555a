// A driver: it answers the messages of httplib-kit with what a client in Go does.
//
//	go build -o driver driver.go client.go && ./driver
//
// client.go defines `name`, `version` and `fetch`.  Nothing here has to be changed for another client.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

type object = map[string]any

// Response is what fetch returns; a nil part is one that the client does not report.
type Response struct {
	Status  int
	Reason  *string
	Fields  [][2]string
	Content []byte
}

// octets has one character for each byte, as the protocol has it.
func octets(text string) string {
	runes := make([]rune, len(text))
	for i := range runes {
		runes[i] = rune(text[i])
	}
	return string(runes)
}

func outcome(url string) object {
	answer, err := fetch(url)
	if err != nil {
		causes := []string{}
		for cause := errors.Unwrap(err); cause != nil; cause = errors.Unwrap(cause) {
			causes = append(causes, octets(fmt.Sprintf("%T: %v", cause, cause)))
		}
		return object{"error": object{"class": fmt.Sprintf("%T", err), "message": octets(err.Error()), "causes": causes}}
	}
	fields := [][2]string{}
	for _, one := range answer.Fields {
		fields = append(fields, [2]string{octets(one[0]), octets(one[1])})
	}
	value := object{"type": "response", "status": answer.Status, "headers": fields, "body": octets(string(answer.Content))}
	value["reason"] = nil
	if answer.Reason != nil {
		value["reason"] = octets(*answer.Reason)
	}
	return object{"value": value}
}

func trace(message object) []object {
	entries := []object{}
	for _, one := range message["ops"].([]any) {
		op := one.(object)
		entry := object{"unsupported": true}
		if op["call"] == "fetch" {
			entry = outcome(message["url"].(string))
		}
		entry["id"] = op["id"]
		entries = append(entries, entry)
	}
	return entries
}

func main() {
	lines, answers := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		var message object
		if err != nil || json.Unmarshal(line, &message) != nil || message["type"] == "stop" {
			return
		}
		answer := object{}
		switch message["type"] {
		case "start":
			answer = object{"name": name, "version": version, "ops": []string{"fetch"}}
		case "run":
			answer["trace"] = trace(message)
		case "release":
		default:
			answer["unsupported"] = message["type"]
		}
		answer["serial"] = message["serial"]
		if answers.Encode(answer) != nil {
			return
		}
	}
}
