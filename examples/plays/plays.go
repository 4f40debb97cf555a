// A client that must survive a 503 and a reset in the body, tested with `httplib-kit serve`, in Go.
//
//	httplib-kit serve --token secret-of-mine       (another terminal)
//	go run plays.go http://127.0.0.1:8083 secret-of-mine
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

const script = `{"routes": [
	{"steps": [{"reply": 503}]},
	{"steps": [{"send": "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel"}, {"drain": {}}, {"close": "rst"}]},
	{"steps": [{"reply": {"text": "hello"}}]}]}`

type Play struct {
	ID, URL    string
	Requests   []struct{ Method, Target string }
	Complaints []string
}

func ask(method, path, content string) (play Play) {
	request, _ := http.NewRequest(method, os.Args[1]+path, strings.NewReader(content))
	request.Header.Set("Authorization", "Bearer "+os.Args[2])
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil || answer.StatusCode >= 300 {
		panic(fmt.Sprint(answer, err))
	}
	defer answer.Body.Close()
	json.NewDecoder(answer.Body).Decode(&play)
	return play
}

func download(url string) string { // the code under test: it tries three times
	for tries := 0; tries < 3; tries++ {
		if answer, err := http.Get(url); err == nil && answer.StatusCode == 200 {
			if body, err := io.ReadAll(answer.Body); err == nil {
				return string(body)
			}
		}
	}
	return "nothing"
}

func main() {
	play := ask("POST", "/_/plays", script)
	fmt.Println("got", download(play.URL+"/file"))
	report := ask("GET", "/_/plays/"+play.ID, "")
	fmt.Println("asked", len(report.Requests), "times")
	fmt.Println("complaints", report.Complaints)
	ask("DELETE", "/_/plays/"+play.ID, "")
}
