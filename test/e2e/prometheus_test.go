// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/legato-otel/legato/internal/testkit/loopback"
)

// prometheus is a real Prometheus that scrapes every second.
type prometheus struct {
	t   *testing.T
	url string
}

// newPrometheus starts Prometheus on scrape jobs and rule groups. Where it is not
// installed, tests skip, unless LEGATO_REQUIRE_PROMETHEUS is set: .ci/run sets it, so
// that nothing is skipped unseen.
func newPrometheus(t *testing.T, scrapeConfigs, groups any) *prometheus {
	t.Helper()
	return newAlertingPrometheus(t, scrapeConfigs, groups, "")
}

// newAlertingPrometheus is newPrometheus with the address of an Alertmanager, "" for none.
func newAlertingPrometheus(t *testing.T, scrapeConfigs, groups any, alertmanager string) *prometheus {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		if os.Getenv("LEGATO_REQUIRE_PROMETHEUS") != "" {
			t.Fatal("Prometheus is not installed (Debian: apt-get install prometheus)")
		}
		t.Skip("Prometheus is not installed (Debian: apt-get install prometheus)")
	}
	directory, address := t.TempDir(), loopback.MustAddress(t)
	write := func(name string, content any) string {
		text, err := yaml.Marshal(content)
		require.NoError(t, err)
		file := filepath.Join(directory, name)
		require.NoError(t, os.WriteFile(file, text, 0o600))
		return file
	}
	content := map[string]any{
		"global":         map[string]any{"scrape_interval": "1s", "evaluation_interval": "1s"},
		"scrape_configs": scrapeConfigs,
		"rule_files":     []string{write("rules.yml", map[string]any{"groups": groups})},
	}
	if alertmanager != "" {
		content["alerting"] = map[string]any{"alertmanagers": []map[string]any{{"static_configs": targets(alertmanager)}}}
	}
	config := write("prometheus.yml", content)
	var log lockedBuffer
	process := exec.Command(program, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(directory, "data"), "--web.listen-address="+address,
		"--rules.alert.resend-delay=1s", "--enable-feature=exemplar-storage")
	process.Stderr = &log
	require.NoError(t, process.Start())
	t.Cleanup(func() {
		_ = process.Process.Signal(syscall.SIGTERM)
		_ = process.Wait()
		if t.Failed() {
			t.Logf("log of Prometheus:\n%s", &log)
		}
	})
	p := &prometheus{t: t, url: "http://" + address}
	require.Eventually(t, func() bool {
		response, err := http.Get(p.url + "/-/ready")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	}, waitFor, tick, "Prometheus is not ready:\n%s", &log)
	return p
}

// get asks the HTTP API and decodes the data of its answer. It returns the API's
// own error text, "" on success.
func (p *prometheus) get(path string, parameters url.Values, data any) string {
	p.t.Helper()
	response, err := http.Get(p.url + "/api/v1/" + path + "?" + parameters.Encode())
	require.NoError(p.t, err)
	defer response.Body.Close()
	var answer struct {
		Status, Error string
		Data          json.RawMessage
	}
	require.NoError(p.t, json.NewDecoder(response.Body).Decode(&answer))
	if answer.Status == "success" && data != nil {
		require.NoError(p.t, json.Unmarshal(answer.Data, data))
	}
	return answer.Error
}

// evaluate returns why an expression cannot be evaluated, "" if it can.
func (p *prometheus) evaluate(expression string) string {
	p.t.Helper()
	return p.get("query", url.Values{"query": {expression}}, nil)
}

// results returns how many series an expression has now.
func (p *prometheus) results(expression string) int {
	p.t.Helper()
	var data struct{ Result []json.RawMessage }
	require.Empty(p.t, p.get("query", url.Values{"query": {expression}}, &data), expression)
	return len(data.Result)
}

// series returns how many series a selector matches.
func (p *prometheus) series(selector string) int {
	p.t.Helper()
	var found []map[string]string
	require.Empty(p.t, p.get("series", url.Values{"match[]": {selector}}, &found), selector)
	return len(found)
}

// exemplars returns a label of all exemplars of a series in the last hour.
func (p *prometheus) exemplars(query, label string) (values []string) {
	p.t.Helper()
	var data []struct {
		Exemplars []struct{ Labels map[string]string }
	}
	now := time.Now()
	parameters := url.Values{"query": {query}, "start": {now.Add(-time.Hour).Format(time.RFC3339)}, "end": {now.Add(time.Hour).Format(time.RFC3339)}}
	require.Empty(p.t, p.get("query_exemplars", parameters, &data))
	for _, series := range data {
		for _, exemplar := range series.Exemplars {
			values = append(values, exemplar.Labels[label])
		}
	}
	return values
}

// firing returns the names of the alerts that fire.
func (p *prometheus) firing() (names []string) {
	p.t.Helper()
	var data struct {
		Alerts []struct {
			State  string
			Labels map[string]string
		}
	}
	require.Empty(p.t, p.get("alerts", nil, &data))
	for _, alert := range data.Alerts {
		if alert.State == "firing" {
			names = append(names, alert.Labels["alertname"])
		}
	}
	return names
}
