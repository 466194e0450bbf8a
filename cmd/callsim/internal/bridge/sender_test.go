// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package bridge

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// answers is a transport that answers without a network.
type answers func(*http.Request) (*http.Response, error)

func (f answers) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func answer(code int) *http.Response {
	return &http.Response{StatusCode: code, Status: http.StatusText(code), Body: io.NopCloser(strings.NewReader("ignored"))}
}

// TestSenderWaitsBetweenTries: a try that fails is repeated after the retry
// delay, however it failed, and the next records go only after the 200.
func TestSenderWaitsBetweenTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(0, Faults{})
		fill(q, 3)
		q.End()
		s := NewSender(q, To("http://receiver.test/"), 2, 7*time.Second, time.Minute, nil, nil)
		var times []time.Duration
		var bodies []string
		began := time.Now()
		s.client.Transport = answers(func(req *http.Request) (*http.Response, error) {
			body, _ := io.ReadAll(req.Body)
			times = append(times, time.Since(began))
			bodies = append(bodies, brief(body))
			switch len(times) {
			case 1:
				return answer(http.StatusServiceUnavailable), nil
			case 2:
				return nil, errors.New("connection reset")
			case 3:
				<-req.Context().Done() // no answer before the timeout
				return nil, req.Context().Err()
			default:
				return answer(http.StatusOK), nil
			}
		})
		s.Run(t.Context(), t.Context())
		assert.Equal(t, []time.Duration{0, 7 * time.Second, 14 * time.Second, 81 * time.Second, 81 * time.Second}, times)
		assert.Equal(t, []string{"0/1 1/2", "0/1 1/2", "0/1 1/2", "0/1 1/2", "2/3"}, bodies)
		assert.Empty(t, s.Problem())
	})
}

// TestSenderStops: it begins no further try, and leaves the one under way until
// it is cut.
func TestSenderStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(0, Faults{})
		fill(q, 5)
		s := NewSender(q, To("http://receiver.test/"), 2, time.Second, time.Hour, nil, nil)
		stop, cancelStop := context.WithCancel(t.Context())
		tries := 0
		s.client.Transport = answers(func(*http.Request) (*http.Response, error) {
			tries++
			cancelStop()
			time.Sleep(time.Minute)
			return answer(http.StatusOK), nil
		})
		s.Run(stop, t.Context())
		assert.Equal(t, 1, tries)
		assert.Equal(t, 3, q.Waiting())
	})
}

// TestRoomIsMadeByAcknowledgement: who appends waits for who sends.
func TestRoomIsMadeByAcknowledgement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(0, Faults{})
		fill(q, 2)
		done := false
		go func() { done = q.AwaitRoom(t.Context(), 2) }()
		synctest.Wait()
		assert.False(t, done)
		q.releaseBatch(q.takeBatch(1))
		synctest.Wait()
		assert.True(t, done)
	})
}
