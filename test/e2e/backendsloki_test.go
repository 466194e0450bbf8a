// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/testkit/loopback"
)

const lokiConfiguration = `
auth_enabled: false
server: { http_listen_address: 127.0.0.1, http_listen_port: %PORT%, grpc_listen_address: 127.0.0.1, grpc_listen_port: %GRPC%, log_level: warn }
ingester: { lifecycler: { address: 127.0.0.1, ring: { kvstore: { store: inmemory }, replication_factor: 1 }, final_sleep: 0s } }
schema_config: { configs: [ { from: 2020-01-01, store: boltdb, object_store: filesystem, schema: v11, index: { prefix: index_, period: 168h } } ] }
storage_config: { boltdb: { directory: %DIR%/index }, filesystem: { directory: %DIR%/chunks } }
limits_config: { enforce_metric_name: false, reject_old_samples: false, max_label_names_per_series: 30, max_label_value_length: 65536 }
`

// TestBackendsLoki asks a real Loki every question of docs/alerting-on-logs.md in LogQL after
// drills that make it true, and before, when none is. This release of Loki takes no OTLP: the
// test gives it the attributes as labels, under the names that later releases give them.
func TestBackendsLoki(t *testing.T) {
	l := newLoki(t)
	questions := logQuestions(t, logQLCell)
	for _, question := range questions {
		assert.Zero(t, l.query(question), "an answer without records: %s", question)
	}
	records := lokiRecords(t, newLogsBackend(t, "file", ""), labelsIn(questions))
	l.push(records)
	for _, question := range questions {
		assert.Positive(t, l.query(question), "no answer: %s", question)
	}
	// The value of an answer is that of the drill.
	assert.Equal(t, 38.0, l.query(questions[0]), questions[0])
}

// loki asks a Loki.
type loki struct {
	t   *testing.T
	url string
}

func newLoki(t *testing.T) *loki {
	t.Helper()
	address, grpc, directory := loopback.MustAddress(t), loopback.MustAddress(t), t.TempDir()
	port := func(address string) string { return address[strings.LastIndex(address, ":")+1:] }
	config := filepath.Join(directory, "loki.yaml")
	text := strings.NewReplacer("%PORT%", port(address), "%GRPC%", port(grpc), "%DIR%", directory).Replace(lokiConfiguration)
	require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
	backend(t, "LEGATO_LOKI", "http://127.0.0.1:"+port(address)+"/config", "-config.file="+config)
	return &loki{t, "http://127.0.0.1:" + port(address)}
}

// query returns the first value of the answer to a query, 0 if it is empty.
func (l *loki) query(text string) float64 {
	l.t.Helper()
	response, err := http.Get(l.url + "/loki/api/v1/query?query=" + url.QueryEscape(text))
	require.NoError(l.t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(l.t, err)
	require.Equal(l.t, http.StatusOK, response.StatusCode, "%s: %s", text, content)
	var answer struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	require.NoError(l.t, json.Unmarshal(content, &answer), "%s", content)
	if len(answer.Data.Result) == 0 {
		return 0
	}
	value, err := strconv.ParseFloat(answer.Data.Result[0].Value[1].(string), 64)
	require.NoError(l.t, err)
	return value
}

// lokiStream is a record with its labels.
type lokiStream struct {
	Stream map[string]string `json:"stream"`
	Values [][2]string       `json:"values"`
}

func (l *loki) push(records []lokiStream) {
	l.t.Helper()
	body, err := json.Marshal(map[string]any{"streams": records})
	require.NoError(l.t, err)
	response, err := http.Post(l.url+"/loki/api/v1/push", "application/json", bytes.NewReader(body))
	require.NoError(l.t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(l.t, err)
	require.Equal(l.t, http.StatusNoContent, response.StatusCode, "%s", content)
}

// labelInQuery finds the names of labels in a query in LogQL: before an operator, behind
// unwrap, and in by.
var labelInQuery = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!=|>=|=)|unwrap ([a-z_]+)|by \(([a-z_, ]+)\)`)

func labelsIn(queries []string) map[string]bool {
	all := map[string]bool{}
	for _, query := range queries {
		for _, found := range labelInQuery.FindAllStringSubmatch(query, -1) {
			for name := range strings.SplitSeq(strings.Join(found[1:], ","), ",") {
				all[strings.TrimSpace(name)] = true
			}
		}
	}
	delete(all, "")
	return all
}

var notInLabel = regexp.MustCompile(`[^a-zA-Z0-9_]`)

// lokiRecords reads the records of a Collector with those attributes that queries ask for.
func lokiRecords(t *testing.T, c *collector, wanted map[string]bool) (all []lokiStream) {
	t.Helper()
	file, err := os.Open(filepath.Join(c.directory, "records.jsonl"))
	require.NoError(t, err)
	defer file.Close()
	found := map[string]bool{}
	decoder, now := json.NewDecoder(file), time.Now().UnixNano()
	for {
		var line otlp
		if err := decoder.Decode(&line); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err)
		}
		for _, resource := range line.ResourceLogs {
			for _, scope := range resource.ScopeLogs {
				for _, record := range scope.LogRecords {
					labels := map[string]string{}
					for _, pairs := range [][]keyValue{resource.Resource.Attributes, record.Attributes} {
						for _, pair := range pairs {
							if name := notInLabel.ReplaceAllString(pair.Key, "_"); wanted[name] {
								labels[name], found[name] = pair.Value.text(), true
							}
						}
					}
					all = append(all, lokiStream{labels, [][2]string{{strconv.FormatInt(now+int64(len(all)), 10), record.Body.text()}}})
				}
			}
		}
	}
	assert.Equal(t, wanted, found, "the queries ask for attributes that no record has")
	return all
}
