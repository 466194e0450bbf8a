// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/stitch"
)

// Events of a bridge's syslog. An API request is an object. All other lines change no state;
// they get the ids of the call or the leg that they name.

// rankRequest is the index of an API request's only record.
const rankRequest = 1

// isSyslogReference reports whether a record is a line of a bridge's syslog that may name a
// call.
func isSyslogReference(name string) bool {
	return name == names.EventAPIAudit || strings.HasPrefix(name, names.Syslog+".")
}

// stampReference returns the stamp of the call or leg that a line names. An API request that
// names none has a stamp of its own.
func (br *requestReader) stampReference(p *pendingStamp) (s stitch.Stamp, ok bool) {
	attributes := p.record.Attributes()
	m := stitch.Reference{Time: timeOf(p.record)}
	for key, v := range attributes.All() {
		if v.Type() != pcommon.ValueTypeStr {
			continue
		}
		switch key {
		case names.CallID:
			m.Call = v.Str()
		case names.CallLegID:
			m.CallLeg = v.Str()
		case names.ParticipantID:
			m.Participant = v.Str()
		case names.CallCorrelator:
			m.Correlator = v.Str()
		case names.CoSpaceID:
			m.CoSpace = v.Str()
		}
	}
	if s, ok = br.engine.StampReference(&m); ok || p.ref == (stitch.Ref{}) {
		return s, ok
	}
	return br.engine.Stamp(p.ref)
}

// Parameters of a PUT on a space that change a meeting.
const (
	parameterName      = "name"
	parameterNonMember = "nonMemberAccess"
)

// readRequest reads an API request. It returns false for a request without a number, because
// nothing identifies it.
func (br *requestReader) readRequest(lr plog.LogRecord, r *stitch.Record) bool {
	attributes := lr.Attributes()
	number, numbered := integer(attributes, names.APITrace)
	if !numbered {
		return false
	}
	r.ID = stitch.RequestID(bridgeName(br.resource), number, r.Time)
	for key, v := range attributes.All() {
		if isRequestAttribute(key) {
			br.appendField(key, v)
		}
	}
	if route, has := attributes.Get(names.HTTPRoute); has {
		br.appendField(names.URLTemplate, route)
	}
	br.appendSpace(attributes)
	r.Fields = br.fields
	return true
}

// bridgeName returns the name of a resource's Call Bridge.
func bridgeName(resource pcommon.Map) string {
	for _, key := range [...]string{names.ServiceInstanceID, names.HostName, names.ClientAddress} {
		if name := text(resource, key); name != "" {
			return name
		}
	}
	return ""
}

// isRequestAttribute reports whether an attribute describes the request and not its log lines.
func isRequestAttribute(key string) bool {
	switch key {
	case names.APIRequestID, names.URLTemplate, names.CoSpaceName, names.CoSpaceNonMemberAccess, names.ContainerID, names.ProcessPID, names.LogFilePath:
		return false
	default:
		return !strings.HasPrefix(key, names.Syslog+".")
	}
}

// appendSpace adds the parameters of a request that describe its space.
func (br *requestReader) appendSpace(attributes pcommon.Map) {
	all, has := attributes.Get(names.APIParameters)
	if !has || all.Type() != pcommon.ValueTypeMap || text(attributes, names.CoSpaceID) == "" {
		return
	}
	parameters := all.Map()
	if name := text(parameters, parameterName); name != "" {
		br.fields = append(br.fields, stitch.Field{Key: names.CoSpaceName, Value: stitch.Text(name)})
	}
	switch text(parameters, parameterNonMember) {
	case "true":
		br.fields = append(br.fields, stitch.Field{Key: names.CoSpaceNonMemberAccess, Value: stitch.Bool(true)})
	case "false":
		br.fields = append(br.fields, stitch.Field{Key: names.CoSpaceNonMemberAccess, Value: stitch.Bool(false)})
	}
}
