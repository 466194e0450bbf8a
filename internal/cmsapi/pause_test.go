// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapi_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/cmsapi"
)

// refusing answers every request with a status, and counts them.
type refusing struct{ status, requests int }

func (r *refusing) RoundTrip(*http.Request) (*http.Response, error) {
	r.requests++
	return &http.Response{StatusCode: r.status, Body: http.NoBody, Header: http.Header{}}, nil
}

// After a 401 no client with the same credentials asks, whatever it would ask
// for; others do. A 403 is no wrong password.
func TestPauseIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &refusing{status: http.StatusUnauthorized}
		client := func(endpoint, username, password string) *cmsapi.Client {
			config := &cmsapi.ServerConfig{Username: username, Password: "x"}
			config.HTTP.Endpoint = endpoint
			if password != "" {
				config.Password = "y"
			}
			c := cmsapi.NewClientOf(&http.Client{Transport: server}, config)
			t.Cleanup(c.Close)
			return c
		}
		ask := func(c *cmsapi.Client, asked bool) {
			t.Helper()
			before := server.requests
			err := c.Status(context.Background())
			assert.Equal(t, !asked, errors.Is(err, cmsapi.ErrPaused), "%v", err)
			assert.Equal(t, asked, server.requests == before+1)
		}
		events, registration := client("https://a", "u", ""), client("https://a/", "u", "")
		ask(events, true)
		ask(registration, false)
		_, err := registration.CDRReceivers(t.Context())
		require.ErrorIs(t, err, cmsapi.ErrPaused)
		assert.EqualError(t, err, "GET /system/cdrReceivers: the server refused the password a moment ago, and is not asked again yet: 5m0s to go")
		ask(client("https://b", "u", ""), true)
		ask(client("https://a", "v", ""), true)
		ask(client("https://a", "u", "other"), true)
		time.Sleep(cmsapi.UnauthorizedRetryDelay)
		ask(registration, true)
		ask(events, false)

		// A configuration that is loaded anew begins anew.
		events.Close()
		events.Close()
		registration.Close()
		fresh := client("https://a", "u", "")
		server.status = http.StatusForbidden
		ask(fresh, true)
		ask(fresh, true)
	})
}
