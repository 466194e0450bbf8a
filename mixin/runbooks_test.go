// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const runbooks = "../docs/runbooks"

// Each alert has a page and each page an alert, with the query as it is, every part that
// somebody needs at night, and links that lead somewhere.
func TestRunbooks(t *testing.T) {
	pages, err := Runbooks(runbooks, Alerts(DefaultConfig()))
	require.NoError(t, err)
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for name, page := range pages {
		committed, err := os.ReadFile(filepath.Join(runbooks, name))
		require.NoError(t, err)
		assert.Equal(t, page, string(committed), "%s is not current: run make generate", name)
		for _, to := range link.FindAllStringSubmatch(page, -1) {
			_, err := os.Stat(filepath.Join(runbooks, to[1]))
			assert.NoError(t, err, "%s links to %s", name, to[1])
		}
		if name == index {
			continue
		}
		last := 0
		for _, part := range []string{"\n## Symptom\n\n", "\n## Metric\n\n", "\n```promql\n", "\n## Action\n\n1. ", "\n## Verification\n\n"} {
			at := strings.Index(page, part)
			assert.Greater(t, at, last, "%s has no %q behind the parts before it", name, part)
			last = at
		}
		_, verification, _ := strings.Cut(page, "\n## Verification\n\n")
		assert.NotEmpty(t, strings.TrimSpace(verification), name)
	}
}

// aboutMachines are the alerts whose pages do not lead to the archive: they concern no
// meeting and no person.
var aboutMachines = []string{
	"CiscoMediaSenseEventsQuarantined", "CiscoMeetingServerAPIProblem", "CiscoMeetingServerAPIRequestsFailing", "CiscoMeetingServerDatabaseError",
	"CiscoMeetingServerDatabaseNoPrimary", "CiscoMeetingServerDatabaseNodeDown", "CiscoMeetingServerDatabaseSyncBehind", "CiscoMeetingServerEventsDisconnected",
	"CiscoMeetingServerEventsProblem", "CiscoMeetingServerLicenceExpiring", "CiscoMeetingServerReceiverNotRegistered", "CiscoMeetingServerSignInErrors",
	"LegatoArchiveRecordsRefused", "LegatoArchiveRetentionFailing", "LegatoBackendDown", "LegatoEventsLost", "LegatoQueueSaturated", "LegatoSpansDelayed",
	"LegatoSpansInvalid", "LegatoStateUnwritable", "LegatoSyslogRecordsLost", "OracleOCMSLinesRejected",
}

// Every other page leads to the page of the archive that names the meetings and the people.
// TestFromAlertToPerson walks all of these.
func TestRunbooksLeadToPeople(t *testing.T) {
	archive := regexp.MustCompile("On the page of the call archive: `/[a-z]*(\\?[a-zA-Z0-9=&]+)?`")
	pages, err := Runbooks(runbooks, Alerts(DefaultConfig()))
	require.NoError(t, err)
	for name, page := range pages {
		if name != index {
			alert := strings.TrimSuffix(name, ".md")
			assert.Equal(t, !slices.Contains(aboutMachines, alert), archive.MatchString(page), alert)
		}
	}
}

// A page without an alert and an alert without a page are found.
func TestRunbooksAndAlertsAreEqual(t *testing.T) {
	directory := t.TempDir()
	groups := []Group{{Rules: []Rule{alert("LegatoTest", warning, "5m", "up == 0", "Summary", "Description")}}}
	_, err := Runbooks(directory, groups)
	assert.ErrorContains(t, err, "LegatoTest needs a runbook")
	page := "<!-- summary -->\n<!-- end summary -->\n<!-- alert -->\nold\n<!-- end alert -->\nprose"
	require.NoError(t, os.WriteFile(filepath.Join(directory, "LegatoTest.md"), []byte(page), 0o600))
	pages, err := Runbooks(directory, groups)
	require.NoError(t, err)
	assert.Contains(t, pages["LegatoTest.md"], "up == 0")
	assert.NotContains(t, pages["LegatoTest.md"], "old")
	assert.Contains(t, pages["LegatoTest.md"], "prose")
	require.NoError(t, os.WriteFile(filepath.Join(directory, "LegatoGone.md"), nil, 0o600))
	_, err = Runbooks(directory, groups)
	assert.ErrorContains(t, err, "LegatoGone.md is of no alert")
}
