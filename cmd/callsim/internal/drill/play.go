// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// standardHold is how long a failure lasts unless its alert needs it for longer: a minute for
// each of two scrapes, and the five minutes for which most alerts are pending.
const standardHold = 7 * time.Minute

// undoTimeout bounds what ends a failure after the drill was interrupted.
const undoTimeout = 30 * time.Second

// hold returns how long a failure lasts.
func (s *Settings) hold(otherwise time.Duration) time.Duration {
	if s.Hold > 0 {
		return s.Hold
	}
	return otherwise
}

// post sends a body, and wants the status that is asked for.
func (s *Settings) post(ctx context.Context, to *url.URL, contentType, body string, want int) error {
	got, err := s.send(ctx, to, contentType, body)
	if err == nil && got != want {
		err = fmt.Errorf("%s answered %d %s, this drill needs %d", to.Redacted(), got, http.StatusText(got), want)
	}
	return err
}

// send sends a body and returns the status of the answer.
func (s *Settings) send(ctx context.Context, to *url.URL, contentType, body string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewBufferString(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", contentType)
	response, err := s.Client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16))
	return response.StatusCode, nil
}

// repeat does something every second until some time has passed.
func repeat(ctx context.Context, during time.Duration, do func() error) error {
	end := time.NewTimer(during)
	defer end.Stop()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		if err := do(); err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-end.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// wait waits for some time.
func wait(ctx context.Context, d time.Duration) error {
	end := time.NewTimer(d)
	defer end.Stop()
	select {
	case <-end.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// undo returns a context for the steps that end a failure. An interrupted drill must not
// leave its failure behind: the alert would ring until the next restart.
func undo(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
}

// unknownPath returns the URL with a path that no receiver has.
func unknownPath(of *url.URL) *url.URL {
	other := *of
	other.Path += "-drill"
	return &other
}
