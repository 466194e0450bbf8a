// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/legato-otel/legato/internal/cmsapi/cmsapitest"
)

const ownURI = "http://collector:8080/cdr?system_id=cms1&token=secret"

func withRegistration(bridge *cmsapitest.Server) func(*rig) {
	return func(r *rig) {
		server := RegistrationServer{HTTP: confighttp.NewDefaultClientConfig(), Username: "api", Password: "secret"}
		server.HTTP.Endpoint = bridge.URL()
		r.logs = consumertest.NewNop()
		r.config.Registration = configoptional.Some(RegistrationConfig{
			URI: ownURI, Interval: 10 * time.Millisecond, Servers: []RegistrationServer{server},
		})
	}
}

// The receiver registers itself, and again when somebody takes it out.
func TestRegistration(t *testing.T) {
	bridge := cmsapitest.NewServer(t, "api", "secret")
	r := newRig(t, withRegistration(bridge))
	registered := func() bool { return assert.ObjectsAreEqual([]string{ownURI}, bridge.URIs()) }
	require.Eventually(t, registered, waitFor, tick)
	bridge.SetURIs()
	require.Eventually(t, registered, waitFor, tick)

	r.stop()
	assert.Equal(t, []string{ownURI}, bridge.URIs(), "a stop does not take the registration back")
	assert.NotEmpty(t, r.log.FilterMessage("This receiver is registered at the Call Bridge").All())
	r.start()
}

// A bridge that cannot be reached, refuses or is full does not keep the
// receiver from receiving; it is reported once, without secrets.
func TestRegistrationFails(t *testing.T) {
	f := func(change func(*cmsapitest.Server), want string) {
		t.Helper()
		bridge := cmsapitest.NewServer(t, "api", "secret")
		change(bridge)
		r := newRig(t, withRegistration(bridge))
		require.Eventually(t, func() bool { return r.log.FilterMessageSnippet("cannot be registered").Len() == 1 }, waitFor, tick)
		require.Equal(t, http.StatusOK, r.post(fixture(t, "flow/post-6.xml")))
		reason := r.log.FilterMessageSnippet("cannot be registered").All()[0].ContextMap()["error"]
		assert.Contains(t, reason, want)
		assert.NotContains(t, reason, "secret")
	}
	f(func(s *cmsapitest.Server) { s.SetPassword("other") }, "GET /system/cdrReceivers: answered 401 Unauthorized")
	f(func(s *cmsapitest.Server) { s.SetURIs("http://a/cdr", "http://b/cdr", "http://c/cdr", "http://d/cdr") }, "no place for another CDR receiver")
	f(func(s *cmsapitest.Server) { s.Close() }, "connection refused")
}
