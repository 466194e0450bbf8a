// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package accounting plays an Oracle OCMS as a SIP proxy in front of the Call
// Bridges: it writes the accounting events of the legs' SIP dialogs to an
// event.log, as Log4j's BasicLayout does, one event a line.
//
// It has what makes such files hard to read: attributes in any order, names with
// commas, in quotes and without, Latin-1, challenges, retransmissions, re-INVITEs,
// forks, lost BYEs, events of applications, lines that are no events, and rotation.
// Its [EventLog] says what must come out.
package accounting
