// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package bridge

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// answerLimit is how much of an answer is read to use the connection again.
const answerLimit = 64 << 10

// Destination returns the URIs that records go to now. gone means that another server takes
// them.
type Destination func() (uris []string, gone bool)

// To is the destination of one URI.
func To(uri string) Destination {
	return func() ([]string, bool) { return []string{uri}, false }
}

// Sender delivers the records of a queue over HTTP.
type Sender struct {
	queue   *Queue
	courier *Courier
	client  *http.Client
	to      Destination
	uris    []string // of the try that is made
	retry   time.Duration
	report  func(fails bool)
	problem atomic.Pointer[string]
}

// NewSender makes a sender that posts to a destination, waits retry between tries and gives
// a try up after timeout. It keeps one connection of its own, as a bridge does. trust is
// for an https URI; nil means the system's. report, which may be nil, learns whether the
// last try failed.
func NewSender(q *Queue, to Destination, maxBatch int, retry, timeout time.Duration, trust *tls.Config, report func(fails bool)) *Sender {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = trust
	transport.MaxConnsPerHost = 1
	if report == nil {
		report = func(bool) {}
	}
	s := &Sender{queue: q, to: to, retry: retry, report: report}
	s.client = &http.Client{
		Transport: transport,
		Timeout:   timeout,
		// A redirect is an answer other than 200.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	s.courier = NewCourier(q, maxBatch, s.post)
	return s
}

// Run sends until the queue has ended and is empty. When stop ends it begins no further
// try; a try under way continues until ctx ends.
func (s *Sender) Run(stop, ctx context.Context) {
	defer s.client.CloseIdleConnections()
	began := time.Now()
	for s.queue.AwaitWork(stop) {
		uris, gone := s.to()
		if gone || s.isSilent(began) {
			s.courier.Lose()
			continue
		}
		if s.uris = uris; len(uris) == 0 {
			s.fail(errNoReceiver)
			wait(stop, s.retry)
			continue
		}
		if err := s.courier.Deliver(ctx); err != nil {
			s.fail(err)
			s.report(true)
			wait(stop, s.retry)
			continue
		}
		s.report(false)
		s.problem.Store(nil)
	}
}

// errNoReceiver says that no receiver has registered yet.
var errNoReceiver = errors.New("no receiver is registered")

func (s *Sender) fail(err error) {
	text := err.Error()
	s.problem.Store(&text)
}

// isSilent reports whether the bridge no longer posts.
func (s *Sender) isSilent(began time.Time) bool {
	after := s.queue.opts.Faults.Silent
	return after > 0 && time.Since(began) >= after
}

// Problem returns why the last try failed, or "".
func (s *Sender) Problem() string {
	if text := s.problem.Load(); text != nil {
		return *text
	}
	return ""
}

// post delivers a body to all receivers. If one of them fails, all get it again.
func (s *Sender) post(ctx context.Context, body []byte) error {
	for _, uri := range s.uris {
		if err := s.postTo(ctx, uri, body); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sender) postTo(ctx context.Context, uri string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, uri, bytes.NewReader(body))
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
