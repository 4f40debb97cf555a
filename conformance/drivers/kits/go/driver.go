// A driver: it answers the messages of httplib-kit with what a client in Go does.
//
//	go build -o driver driver.go client.go && ./driver
//
// client.go defines `name`, `version`, `features`, `exchange`, and `release`, which closes what the exchanges of a case have
// opened.  Nothing here has to be changed for another client.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"time"
)

type object = map[string]any

// Asked is what the client is asked to do: by default a GET whose response is read.
type Asked struct {
	URL, Method    string
	Fields         [][2]string   // those that the caller adds
	Body           []byte        // nil for a request without content
	Streamed       bool          // the content is given in pieces that the client cannot have again
	ExpectContinue bool          // wait for a 100 before the content
	Consume        string        // read, part (Amount bytes, then close the response), drop (let go of it unread) or timeout
	Amount         int           // bytes
	Timeout        time.Duration // for the whole exchange
}

// Response is what exchange returns; a nil part is one that the client does not report.
type Response struct {
	Status  int
	Reason  *string
	Fields  [][2]string
	Content []byte
}

type op struct {
	ID, Call string
	Kwargs   struct {
		Method, Consume string
		Target          *string
		Fields          struct{ Value [][2]string }
		Body            *struct{ Value string }
		Streamed        bool
		ExpectContinue  bool `json:"expect_continue"`
		Amount          int
		Timeout         float64
	}
}

type message struct {
	Type, URL string
	Ops       []op
	Serial    any
}

// octets has one character for each byte, as the protocol has it.
func octets(text string) string {
	runes := make([]rune, len(text))
	for i := range runes {
		runes[i] = rune(text[i])
	}
	return string(runes)
}

func or(text, standard string) string {
	if text == "" {
		return standard
	}
	return text
}

func asked(given op, base string) *Asked {
	of := given.Kwargs
	made := &Asked{base, or(of.Method, "GET"), of.Fields.Value, nil, of.Streamed, of.ExpectContinue, of.Consume, of.Amount, 5 * time.Second}
	if of.Timeout > 0 {
		made.Timeout = time.Duration(of.Timeout * float64(time.Second))
	}
	if where, err := url.Parse(base); err == nil && of.Target != nil {
		made.URL = where.Scheme + "://" + where.Host + *of.Target
	}
	if of.Body != nil {
		made.Body = []byte{}
		for _, one := range of.Body.Value {
			made.Body = append(made.Body, byte(one))
		}
	}
	return made
}

func outcome(wanted *Asked) object {
	answer, err := exchange(wanted)
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
	value := object{"type": "response", "status": answer.Status, "headers": fields, "reason": nil, "body": nil}
	if answer.Reason != nil {
		value["reason"] = octets(*answer.Reason)
	}
	if answer.Content != nil {
		value["body"] = octets(string(answer.Content))
	}
	return object{"value": value}
}

// trace has the entries of the ops, which begin together.
func trace(of message) []object {
	entries := make([]object, len(of.Ops))
	var all sync.WaitGroup
	for i, one := range of.Ops {
		all.Add(1)
		go func(i int, one op) {
			defer all.Done()
			entries[i] = object{"unsupported": true}
			if one.Call == "fetch" || one.Call == "exchange" {
				entries[i] = outcome(asked(one, of.URL))
			}
			entries[i]["id"] = one.ID
		}(i, one)
	}
	all.Wait()
	return entries
}

func main() {
	lines, answers := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		var message message
		if err != nil || json.Unmarshal(line, &message) != nil || message.Type == "stop" {
			return
		}
		answer := object{}
		switch message.Type {
		case "start":
			answer = object{"name": name, "version": version, "ops": []string{"fetch", "exchange"}, "features": features}
		case "run":
			answer["trace"] = trace(message)
		case "release":
			release()
		default:
			answer["unsupported"] = message.Type
		}
		answer["serial"] = message.Serial
		if answers.Encode(answer) != nil {
			return
		}
	}
}
