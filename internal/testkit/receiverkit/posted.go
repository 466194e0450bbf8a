// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package receiverkit

import (
	"io"
	"net/http"
	"strings"

	"github.com/stretchr/testify/require"
)

// Posted is a receiver and the client that posts to it.
type Posted struct {
	*Receiver

	Client      *http.Client
	URL         string
	ContentType string
}

// NewPosted returns a client of a receiver. The client's idle connections are closed at the end
// of the test.
func NewPosted(r *Receiver, contentType string) *Posted {
	p := &Posted{Receiver: r, Client: &http.Client{Transport: &http.Transport{}}, ContentType: contentType}
	r.T.Cleanup(func() { p.Stop(); p.Client.CloseIdleConnections() })
	return p
}

// Start creates and starts the receiver; the client opens new connections to it.
func (p *Posted) Start() {
	p.T.Helper()
	p.Client.CloseIdleConnections()
	p.Receiver.Start()
}

// Post posts a body to URL and returns the status code.
func (p *Posted) Post(body string) int {
	p.T.Helper()
	return p.PostTo(p.URL, body)
}

// PostTo posts a body to url and returns the status code. The body of a 200 must be empty.
func (p *Posted) PostTo(url, body string) int {
	p.T.Helper()
	status, _ := p.Do(http.MethodPost, url, body)
	return status
}

// Do sends a request and returns the status code and the header of the response. The body of
// a 200 to a post must be empty.
func (p *Posted) Do(method, url, body string) (status int, header http.Header) {
	p.T.Helper()
	request, err := http.NewRequestWithContext(p.T.Context(), method, url, strings.NewReader(body))
	require.NoError(p.T, err)
	request.Header.Set("Content-Type", p.ContentType)
	response, err := p.Client.Do(request)
	require.NoError(p.T, err)
	answer, err := io.ReadAll(response.Body)
	require.NoError(p.T, err)
	require.NoError(p.T, response.Body.Close())
	if method == http.MethodPost && response.StatusCode == http.StatusOK {
		require.Empty(p.T, answer, "a 200 has an empty body")
	}
	return response.StatusCode, response.Header
}
