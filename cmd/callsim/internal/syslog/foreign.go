// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"fmt"
	"strings"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/chance"
)

// writeForeign writes, by chance, lines that belong to no call or request: other processes,
// faults, commands, and lines of other formats.
func (l *Log) writeForeign(h *host, at time.Time) {
	if !l.dice.Chance(0.5) {
		return
	}
	other := func(kind string, foreign line) {
		foreign.at = at
		l.report.Records[kind]++
		l.writeLine(h, &foreign)
	}
	switch l.dice.IntN(9) {
	case 0:
		other("line", line{facility: local7, severity: "info", container: l.container(), tag: "wb3_frontend:", text: `[Join call] 192.0.2.52 status 200 "POST /api/join HTTP/1.1"`})
	case 1:
		other("web_app_audit", line{
			facility: local0, severity: "info", tag: "client_backend:", level: "INFO : ",
			text: "WebApp Audit : Session: " + l.dice.GUID() + " : Participant Pat performed action of join call",
		})
	case 2:
		other("database_fatal", line{facility: local0, severity: "err", tag: fmt.Sprintf("postgres[%d]:", 1000+l.dice.IntN(60000)), text: "[7-1] FATAL: connection to client lost"})
	case 3:
		other("recorder_missing", line{facility: user, severity: "info", tag: "host:server:", level: " WARNING : ", text: "No recording device found for the call"})
	case 4:
		other("nfs_mount_failed", line{facility: user, severity: "err", tag: fmt.Sprintf("recorder-proxy[%d]:", 1000+l.dice.IntN(60000)), level: "ERROR : ", text: "Failed to mount NFS storage 192.0.2.60:/recordings"})
	case 5:
		other("sso_error", line{facility: user, severity: "err", tag: "client_backend:", level: " ERROR   : ", text: "SamlManager : login attempt with an unknown domain"})
	case 6:
		secret := l.secret()
		other("cli_command", line{
			facility: local0, severity: "info", tag: "cli:", level: "",
			text: fmt.Sprintf("User admin from 192.0.2.33:%d issued command < turn credentials meet %s example.test>: permission granted", 1024+l.dice.IntN(60000), secret),
		})
	case 7:
		other("line", line{facility: user, severity: "info", tag: "authp:", level: " ", text: `re-registration from server "cms2.example.test"`})
	default:
		l.report.Records["unparsed"]++
		text := chance.Pick(l.dice, []string{"last message repeated 3 times", "-- MARK --", "ul 26 14:08:23 user.info"})
		l.writeRaw(h, text, fmt.Sprintf("<%d>%s", user.number*8+severities["info"], text)) // a frame has a priority in any case
	}
}

// container is the id of one.
func (l *Log) container() string { return strings.ReplaceAll(l.dice.GUID(), "-", "")[:12] }
