// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// exchange plays a MediaSense API server that answers as testdata/field has it:
// each call as the file says, and a sign-in that the file leaves out with a
// session.
type exchange struct {
	url     string
	answers map[string]exchangeAnswer

	mu    sync.Mutex
	calls map[string]int
	last  map[string]string // the last request of each call
}

type exchangeAnswer struct {
	status int
	body   string
}

// newExchange reads an exchange.txt: "> POST path" is a call, "< 200 body" the
// answer to it, whose body may stand in a line of its own.
func newExchange(t *testing.T, name string) *exchange {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "testdata", "field", "mediasense", name, "exchange.txt"))
	require.NoError(t, err)
	x := &exchange{calls: map[string]int{}, last: map[string]string{}, answers: map[string]exchangeAnswer{
		"signIn": {http.StatusOK, `{"responseCode":2000,"responseMessage":"Success"}`}, "signOut": {http.StatusOK, `{"responseCode":2000}`},
	}}
	session, call := true, ""
	for line := range strings.Lines(string(content)) {
		line = strings.TrimSpace(line)
		if path, ok := strings.CutPrefix(line, "> POST "); ok {
			call = callOf(strings.Fields(path)[0])
			continue
		}
		text, ok := strings.CutPrefix(line, "< ")
		if !ok || call == "" {
			continue
		}
		answer := x.answers[call]
		first, rest, _ := strings.Cut(text, " ")
		if status, err := strconv.Atoi(strings.TrimSuffix(first, ",")); err == nil {
			answer.status, text = status, rest
			session = session && !strings.Contains(text, "no Set-Cookie")
		}
		if strings.HasPrefix(text, "{") {
			answer.body = text
		}
		x.answers[call] = answer
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, 4096)
		n, _ := r.Body.Read(body)
		name := callOf(r.URL.Path)
		x.mu.Lock()
		x.calls[name]++
		x.last[name] = string(body[:n])
		x.mu.Unlock()
		if name == "signIn" && session {
			w.Header().Set("JSESSIONID", "session")
		}
		answer, known := x.answers[name]
		if !known {
			answer.status = http.StatusNotFound
		}
		w.WriteHeader(answer.status)
		fmt.Fprint(w, answer.body)
	}))
	t.Cleanup(server.Close)
	x.url = server.URL
	return x
}

func callOf(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// asked is how often a call came, and its last request.
func (x *exchange) asked(call string) (times int, last string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.calls[call], x.last[call]
}
