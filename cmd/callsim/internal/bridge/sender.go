// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package bridge

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// answerLimit is how much of an answer is read to use the connection again.
const answerLimit = 64 << 10

// Sender delivers the records of a queue over HTTP.
type Sender struct {
	queue   *Queue
	courier *Courier
	client  *http.Client
	url     string
	retry   time.Duration
	problem atomic.Pointer[string]
}

// NewSender makes a sender that posts to url, waits retry between tries and
// gives a try up after timeout. It keeps one connection of its own, as a bridge
// does. trust is for an https url; nil means the system's.
func NewSender(q *Queue, url string, maxBatch int, retry, timeout time.Duration, trust *tls.Config) *Sender {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = trust
	transport.MaxConnsPerHost = 1
	s := &Sender{queue: q, url: url, retry: retry}
	s.client = &http.Client{
		Transport: transport,
		Timeout:   timeout,
		// A redirect is an answer other than 200.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	s.courier = NewCourier(q, maxBatch, s.post)
	return s
}

// Run sends until the queue has ended and is empty. When stop ends it begins no
// further try; a try under way goes on until ctx ends.
func (s *Sender) Run(stop, ctx context.Context) {
	defer s.client.CloseIdleConnections()
	for s.queue.AwaitWork(stop) {
		if err := s.courier.Deliver(ctx); err != nil {
			text := err.Error()
			s.problem.Store(&text)
			wait(stop, s.retry)
			continue
		}
		s.problem.Store(nil)
	}
}

// Problem tells why the last try failed, empty when it did not.
func (s *Sender) Problem() string {
	if text := s.problem.Load(); text != nil {
		return *text
	}
	return ""
}

func (s *Sender) post(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "text/xml")
	req.Header.Set("User-Agent", "callsim")
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	// What follows the status does not matter, but an unread body would cost
	// the connection.
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, answerLimit))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the receiver answered %s", resp.Status)
	}
	return nil
}

// wait sleeps unless ctx ends before.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
