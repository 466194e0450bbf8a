// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/legato-otel/legato/internal/testkit/loopback"
)

// documents returns every page that people read, by its path in the repository.
func documents(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (name == "build" || name == "dist" || name == "data" || name == ".git"):
			return fs.SkipDir
		case filepath.Ext(path) == ".md":
			content, err := os.ReadFile(path)
			pages[name] = string(content)
			return err
		}
		return nil
	}))
	require.Contains(t, pages, "docs/existing-collector.md")
	return pages
}

// changed is all that a test changes in an example before it starts it: directories
// become ones that do not exist yet, below the test's own; ports become free ones;
// the files with certificates and keys, which a user must have, become one of the test's.
func changed(t *testing.T, example string) string {
	t.Helper()
	directory := t.TempDir()
	newAuthority(t, directory, "ca").issue("server", time.Now().Add(time.Hour))
	example = strings.NewReplacer("/var/lib/otelcol", filepath.Join(directory, "fresh", "lib"), "data/", filepath.Join(directory, "fresh", "data")+"/",
		"/etc/otelcol/cms-ca.pem", filepath.Join(directory, "ca.crt"), "/etc/otelcol/mediasense-ca.pem", filepath.Join(directory, "ca.crt"),
		"/etc/legato/cms-ca.pem", filepath.Join(directory, "ca.crt"), "/etc/legato/server.", filepath.Join(directory, "server.")).Replace(example)
	return regexp.MustCompile(`(0\.0\.0\.0|localhost):[0-9]+`).ReplaceAllStringFunc(example, func(string) string { return loopback.MustAddress(t) })
}

// TestExamplesStart starts the Collector on every example of every page, in an
// empty folder: an example that lacks what a fresh host lacks does not start.
func TestExamplesStart(t *testing.T) {
	for name, page := range documents(t) {
		for _, block := range yamlBlock.FindAllStringSubmatch(page, -1) {
			if !isConfiguration(t, block[1]) {
				continue
			}
			text := changed(t, block[1])
			if !strings.Contains(text, "service:") {
				text += complete(t, text)
			}
			starts(t, name, text)
		}
	}
}

// starts holds that the Collector starts on a configuration of a page, and stops.
func starts(t *testing.T, page, configuration string) {
	t.Helper()
	var log lockedBuffer
	// The Collector's own metrics page has a fixed port by default.
	process := exec.CommandContext(t.Context(), binary("otelcol-legato"), "--config", "yaml:"+configuration, "--set", "service.telemetry.metrics.level=none")
	process.Dir = t.TempDir()
	process.Env = append(os.Environ(), "CMS_PASSWORD=x", "MEDIASENSE_PASSWORD=x", "ARCHIVE_PASSWORD=x", "PGPASSWORD=x")
	process.Stderr = &log
	require.NoError(t, process.Start())
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	for !strings.Contains(log.String(), "Everything is ready") {
		select {
		case err := <-ended:
			assert.Fail(t, "an example does not start", "%s: %v\n%s\n%s", page, err, configuration, &log)
			return
		case <-time.After(tick):
		}
	}
	require.NoError(t, process.Process.Signal(syscall.SIGTERM))
	err := <-ended
	// The Collector says that it is ready a moment before it listens to signals.
	state, _ := process.ProcessState.Sys().(syscall.WaitStatus)
	assert.True(t, err == nil || state.Signal() == syscall.SIGTERM, "%s: the Collector fails when it stops: %v\n%s", page, err, &log)
}

// isConfiguration tells a Collector's configuration from the other YAML in the
// documents: builder manifests, scrape jobs, alert rules.
func isConfiguration(t *testing.T, text string) bool {
	t.Helper()
	var content map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &content), text)
	for _, section := range []string{"receivers", "processors", "connectors", "exporters"} {
		if _, found := content[section].(map[string]any); found {
			return true
		}
	}
	return false
}

// expression is a PromQL expression of a document.
type expression struct{ page, text string }

var (
	promQLTable = regexp.MustCompile(`(?m)^\|[^|\n]*PromQL[^\n]*\n\|[-|]+\n((?:\|[^\n]*\n)+)`)
	firstCell   = regexp.MustCompile("(?m)^\\| `((?:[^`])+)` \\|")
	promQLBlock = regexp.MustCompile("(?s)```promql\n(.*?)```")
	// selector of a series: by name, or by a regular expression of names.
	selector = regexp.MustCompile(`\{__name__=~"[^"]*"[^}]*\}|\b(?:cisco|otelcol|oracle)_[a-z0-9_]+(?:\{[^}]*\})?`)
)

// expressions returns those of all documents but the runbooks: in tables whose head says PromQL, in
// promql blocks, and in alert rules.
func expressions(t *testing.T) (all []expression) {
	t.Helper()
	for name, page := range documents(t) {
		// Most queries of runbooks match nothing unless something is wrong. mixin/lint holds
		// their labels and values, and mixinMatches their metrics.
		if strings.HasPrefix(name, "docs/runbooks/") {
			continue
		}
		for _, table := range promQLTable.FindAllStringSubmatch(page, -1) {
			for _, cell := range firstCell.FindAllStringSubmatch(table[1], -1) {
				all = append(all, expression{name, strings.ReplaceAll(cell[1], `\|`, "|")})
			}
		}
		for _, block := range promQLBlock.FindAllStringSubmatch(page, -1) {
			all = append(all, expression{name, block[1]})
		}
		for _, group := range ruleGroups(t, page) {
			for _, rule := range group.Rules {
				all = append(all, expression{name, rule.Expr})
			}
		}
	}
	return all
}

type ruleGroup struct {
	Name  string
	Rules []struct {
		Alert               string `yaml:",omitempty"`
		Record              string `yaml:",omitempty"`
		Expr                string
		For                 string            `yaml:",omitempty"`
		KeepFiringFor       string            `yaml:"keep_firing_for,omitempty"`
		Labels, Annotations map[string]string `yaml:",omitempty"`
	}
}

// ruleGroups returns the alert rules of a page.
func ruleGroups(t *testing.T, page string) []ruleGroup {
	t.Helper()
	var all []ruleGroup
	for _, block := range yamlBlock.FindAllStringSubmatch(page, -1) {
		var content struct{ Groups []ruleGroup }
		require.NoError(t, yaml.Unmarshal([]byte(block[1]), &content), block[1])
		all = append(all, content.Groups...)
	}
	return all
}

// demoBeside is what the test changes in config/demo.yaml: addresses, the pace, and
// a second page of the Collector's own metrics, on which counters have their suffix.
const demoBeside = `
extensions: { health_check: { endpoint: "%HEALTH%" } }
receivers:
  cmscdr:
    endpoint: "%CDR%"
    metrics: { interval: 500ms }
    registration: { servers: [ { endpoint: "http://%EVENTS%", username: api, password: x, uri: "http://%CDR%/cdr?system_id=cms1" } ] }
  cmsevents:
    servers: [ { endpoint: "http://%EVENTS%", username: api, password: x, tls: { insecure: true } } ]
    metrics: { interval: 500ms }
  cmsapi:
    collection_interval: 1s
    cdr_receiver_uri: "http://%CDR%/cdr"
    servers: [ { endpoint: "http://%EVENTS%", username: api, password: x, tls: { insecure: true } } ]
  mediasense:
    endpoint: "%MS%"
    metrics: { interval: 500ms }
    subscription:
      callback: "http://%MS%/mediasense"
      servers: [ { endpoint: "http://%MSAPI%", username: api, password: x, tls: { insecure: true } } ]
  cmssyslog: { include: [ "%SYSLOG%" ], start_at: beginning, metrics: { interval: 500ms } }
exporters:
  callrecord: { http: { endpoint: "%ARCHIVE%" } }
  prometheus: { endpoint: "%PAGE%" }
service:
  telemetry:
    metrics:
      readers:
        - { pull: { exporter: { prometheus: { host: localhost, port: %OWN% } } } }
        - { pull: { exporter: { prometheus: { host: localhost, port: %SUFFIXED%, without_type_suffix: false } } } }
  pipelines:
    logs: { receivers: [cmscdr, cmsevents, cmsapi, mediasense, ocms, cmssyslog] }
    metrics: { receivers: [cmscdr, cmsevents, cmsapi, mediasense, ocms, cmssyslog] }
`

// demoSyslog is what a bridge of the demo writes down.
const demoSyslog = `Mar  5 14:08:23 user.info cms-n1 host:server:  INFO : API trace 1: GET for "/api/v1/calls" (from 192.0.2.226)
Mar  5 14:08:23 user.info cms-n1 host:server:  INFO : API trace 1: sending 503 response, size 0
Mar  5 14:08:24 user.info cms-n1 host:server:  INFO : API trace 2: GET for "/api/v1/calls" (from 192.0.2.226)
`

// newDemo starts the demo with all receivers, and a Prometheus that scrapes its pages.
func newDemo(t *testing.T) *prometheus {
	t.Helper()
	address := map[string]string{}
	var replace []string
	for _, name := range []string{"HEALTH", "CDR", "EVENTS", "MS", "MSAPI", "MSAPI2", "ARCHIVE", "PAGE", "OWN", "SUFFIXED"} {
		address[name] = loopback.MustAddress(t)
		value := address[name]
		if name == "OWN" || name == "SUFFIXED" {
			_, value, _ = strings.Cut(value, ":")
		}
		replace = append(replace, "%"+name+"%", value)
	}
	p := newPrometheus(t, []map[string]any{
		{"job_name": "meetings", "honor_labels": true, "static_configs": targets(address["PAGE"])},
		{"job_name": "own", "static_configs": targets(address["OWN"])},
		{"job_name": "suffixed", "static_configs": targets(address["SUFFIXED"])},
	}, mixinRules(t, "recordings.yaml"))

	c := &collector{t: t, directory: t.TempDir(), health: "http://" + address["HEALTH"]}
	syslog := filepath.Join(c.directory, "cms-n1.log")
	require.NoError(t, os.WriteFile(syslog, []byte(demoSyslog), 0o600))
	replace = append(replace, "%SYSLOG%", syslog)
	beside := filepath.Join(c.directory, "beside.yaml")
	require.NoError(t, os.WriteFile(beside, []byte(strings.NewReplacer(replace...).Replace(demoBeside)), 0o600))
	c.arguments = []string{"--config", filepath.Join(root, "config", "demo.yaml"), "--config", beside}
	require.NoError(t, os.MkdirAll(filepath.Join(c.directory, "data", "ocms"), 0o750))
	c.start()
	t.Cleanup(c.stop)
	simulation := exec.CommandContext(t.Context(), binary("callsim"), "-target", "registered", "-bridges", "1", "-meetings", "0", "-speed", "60",
		"-faults", "garbage=1,malformed=0.02", "-events", address["EVENTS"], "-mediasense-api", address["MSAPI"]+","+address["MSAPI2"], "-mediasense-disk", "7",
		"-ocms", filepath.Join(c.directory, "data", "ocms", "event.log"))
	require.NoError(t, simulation.Start())
	t.Cleanup(func() { _ = simulation.Wait() })
	t.Cleanup(func() { _ = simulation.Process.Signal(syscall.SIGTERM) })
	return p
}

// TestExpressionsMatch evaluates every PromQL expression of every document against
// the live pages of the demo. Each selector in it matches a series: an alert whose
// selector matches nothing never rings, and nobody notices. What selects the
// Collector's own metrics must match whatever suffix its reader gives to counters.
func TestExpressionsMatch(t *testing.T) {
	all := expressions(t)
	require.Greater(t, len(all), 20)
	p := newDemo(t)
	// One wait for all: what is missing then comes no more.
	deadline := time.Now().Add(time.Minute)
	for _, e := range all {
		assert.Empty(t, p.evaluate(e.text), "%s: %s", e.page, e.text)
		selectors := selector.FindAllString(e.text, -1)
		assert.NotEmpty(t, selectors, "%s: %s", e.page, e.text)
		for _, s := range selectors {
			jobs := []string{`job!=""`}
			if strings.Contains(s, "otelcol_") {
				jobs = []string{`job="own"`, `job="suffixed"`}
			}
			for _, job := range jobs {
				with := within(s, job)
				assert.Eventually(t, func() bool { return p.series(with) > 0 }, max(time.Until(deadline), time.Second), 10*tick, "%s: nothing matches %s of %s", e.page, with, e.text)
			}
		}
	}
	mixinMatches(t, p)
	noPanelIsEmpty(t, p)
}

// mixinRules returns the groups of a file of mixin/out.
func mixinRules(t *testing.T, file string) []ruleGroup {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "mixin", "out", file))
	require.NoError(t, err)
	var rules struct{ Groups []ruleGroup }
	require.NoError(t, yaml.Unmarshal(content, &rules))
	return rules.Groups
}

// emptyInDemo are panels that the demo has no data for.
var emptyInDemo = []string{
	"Database nodes",      // the API of callsim has no database cluster
	"Queues of exporters", // no exporter of the demo has a queue
}

// noPanelIsEmpty evaluates every query of every dashboard as Grafana would ask it.
func noPanelIsEmpty(t *testing.T, p *prometheus) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "mixin", "out", "dashboards", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	variables := strings.NewReplacer("$__rate_interval", "30s", "$__range", "1h", "$cluster", ".*", "$bridge", ".*", "$job", ".*")
	queries, deadline := 0, time.Now().Add(time.Minute)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		var board struct {
			Panels []struct {
				Type, Title string
				Targets     []struct{ Expr string }
			}
		}
		require.NoError(t, json.Unmarshal(content, &board))
		for _, panel := range board.Panels {
			if panel.Type == "traces" || panel.Type == "logs" || slices.Contains(emptyInDemo, panel.Title) {
				continue
			}
			for _, target := range panel.Targets {
				queries++
				query := variables.Replace(target.Expr)
				assert.Eventually(t, func() bool { return p.results(query) > 0 }, max(time.Until(deadline), time.Second), 10*tick,
					"%s: the panel %s is empty: %s", filepath.Base(file), panel.Title, query)
			}
		}
	}
	require.Greater(t, queries, 40)
}

// notInDemo are metrics of the mixin that the demo cannot have.
var notInDemo = []string{
	"otelcol_exporter_queue", // no exporter of the demo has a queue
	// The API of callsim has no database cluster and no limit of participants.
	"cisco_meeting_server_database", "cisco_meeting_server_participant_limit",
	"cisco_meeting_server_cluster",
}

// mixinMatches holds that every metric that an alert of the mixin asks for is on a page
// of the demo, by this name: the names of mixin/catalogue are made, not seen.
func mixinMatches(t *testing.T, p *prometheus) {
	t.Helper()
	seen := map[string]bool{}
	deadline := time.Now().Add(time.Minute)
	for _, group := range mixinRules(t, "alerts.yaml") {
		for _, rule := range group.Rules {
			for _, name := range regexp.MustCompile(`\b(?:cisco|oracle|otelcol)_[a-z0-9_]+`).FindAllString(rule.Expr, -1) {
				if seen[name] || slices.ContainsFunc(notInDemo, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
					continue
				}
				seen[name] = true
				assert.Eventually(t, func() bool { return p.series(`{__name__=~"`+name+`(_total|_seconds)?"}`) > 0 },
					max(time.Until(deadline), time.Second), 10*tick, "%s: no series of %s", rule.Alert, name)
			}
		}
	}
	require.Greater(t, len(seen), 40)
}

func targets(address string) []map[string][]string {
	return []map[string][]string{{"targets": {address}}}
}

// within adds a matcher to a selector.
func within(selector, matcher string) string {
	if name, rest, found := strings.Cut(selector, "{"); found {
		return name + "{" + matcher + ", " + rest
	}
	return selector + "{" + matcher + "}"
}

// TestExistingCollector walks docs/existing-collector.md from the configuration to
// the first alert; test/dropin builds its manifest. The page's command posts all records
// within a fraction of the receiver's metrics interval, so that each series is scraped
// with its last value first.
func TestExistingCollector(t *testing.T) {
	page := documents(t)["docs/existing-collector.md"]
	var configuration, scrape string
	for _, block := range yamlBlock.FindAllStringSubmatch(page, -1) {
		switch {
		case isConfiguration(t, block[1]):
			configuration = block[1]
		case strings.Contains(block[1], "scrape_configs:"):
			scrape = block[1]
		}
	}
	// Changed: the directories and the addresses.
	cdr, metrics, own, archive := loopback.MustAddress(t), loopback.MustAddress(t), loopback.MustAddress(t), loopback.MustAddress(t)
	_, ownPort, _ := strings.Cut(own, ":")
	addresses := strings.NewReplacer("0.0.0.0:8080", cdr, "localhost:8080", cdr, "localhost:9464", metrics, "localhost:8888", own, "0.0.0.0:8088", archive)
	t.Setenv("ARCHIVE_PASSWORD", "x")
	newCollectorFrom(t, strings.ReplaceAll(addresses.Replace(configuration), "/var/lib/otelcol", "%DIR%/fresh"),
		"--set", "extensions.health_check.endpoint=%HEALTH%", "--set", "service.extensions=[file_storage, basicauth, health_check]",
		"--set", "service.telemetry.metrics.readers=[{pull: {exporter: {prometheus: {host: localhost, port: "+ownPort+"}}}}]")

	var jobs struct {
		ScrapeConfigs []map[string]any `yaml:"scrape_configs"`
	}
	require.NoError(t, yaml.Unmarshal([]byte(addresses.Replace(scrape)), &jobs))
	p := newPrometheus(t, jobs.ScrapeConfigs, ruleGroups(t, page))
	require.Eventually(t, func() bool { return p.series(`{job="collector"}`) > 0 }, waitFor, tick)

	command := regexp.MustCompile(`(?m)^callsim (-target http:.*)$`).FindStringSubmatch(page)
	require.NotNil(t, command, "the page has no command that posts over HTTP")
	output, err := exec.CommandContext(t.Context(), binary("callsim"), strings.Fields(addresses.Replace(command[1]))...).CombinedOutput()
	require.NoError(t, err, "%s", output)
	require.Eventually(t, func() bool { return p.series(`cisco_meeting_server_record_missing_total{instance!=""}`) > 0 }, waitFor, tick)
	assert.Eventually(t, func() bool {
		return strings.Contains(strings.Join(p.firing(), " "), "CiscoMeetingServerRecordsMissing")
	}, waitFor, 10*tick)
}
