// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/names"
)

// dialogFields are the attributes of a stitched dialog, and of the first INVITE.
var dialogFields = fields[store.Dialog]{
	names.SIPCallID:              func(r *store.Dialog) any { return &r.SIPCallID },
	names.SIPMethod:              func(r *store.Dialog) any { return &r.Method },
	names.SIPCode:                func(r *store.Dialog) any { return &r.Code },
	names.SIPFromName:            func(r *store.Dialog) any { return &r.FromName },
	names.SIPToName:              func(r *store.Dialog) any { return &r.ToName },
	names.ErrorType:              func(r *store.Dialog) any { return &r.ErrorType },
	names.DialogResult:           func(r *store.Dialog) any { return &r.Result },
	names.DialogSetupSeconds:     func(r *store.Dialog) any { return &r.SetupSeconds },
	names.DialogRingDelaySeconds: func(r *store.Dialog) any { return &r.RingDelaySeconds },
	names.DialogRingSeconds:      func(r *store.Dialog) any { return &r.RingSeconds },
	names.DialogAnsweredSeconds:  func(r *store.Dialog) any { return &r.AnsweredSeconds },
	names.DialogResponses:        func(r *store.Dialog) any { return &r.Responses },
	names.SpanLinks:              func(r *store.Dialog) any { return &r.Links },
}

// messageFields are those of any other message: who calls whom, and what, the first
// INVITE says.
var messageFields = fields[store.Dialog]{names.SIPCallID: dialogFields[names.SIPCallID]}

func (c *converter) addDialog(lr plog.LogRecord, phase store.Phase) bool {
	return c.addDialogRow(lr, phase, dialogFields)
}

// SIP methods that begin and end a call.
const (
	methodInvite = "INVITE"
	methodBye    = "BYE"
)

// ofNoDialog reports whether a record is a SIP message without a value for a row: only
// INVITEs, BYEs and their responses do.
func ofNoDialog(lr plog.LogRecord) bool {
	switch lr.EventName() {
	case names.EventOCMSRequest, names.EventOCMSResponse:
		method := text(lr.Attributes(), names.SIPMethod)
		return method != methodInvite && method != methodBye
	default:
		return false
	}
}

// addMessage makes a row of a message of a call.
func (c *converter) addMessage(lr plog.LogRecord, _ store.Phase) bool {
	attributes := lr.Attributes()
	var code int64
	if v, ok := attributes.Get(names.SIPCode); ok {
		code = v.Int()
	}
	switch {
	case text(attributes, names.SIPMethod) == methodBye:
		return c.addDialogRow(lr, store.Ended, messageFields)
	case code >= 400 && !isStep(code):
		return c.addDialogRow(lr, store.Ended, messageFields) && c.setCode(code)
	case code >= 200 && !isStep(code):
		return c.addDialogRow(lr, store.Updated, messageFields) && c.setCode(code)
	case lr.EventName() == names.EventOCMSRequest && text(attributes, names.SIPToTag) == "":
		return c.addDialogRow(lr, store.Started, dialogFields)
	default: // another response, or an INVITE within the dialog
		return c.addDialogRow(lr, store.Updated, messageFields)
	}
}

// isStep reports whether a final response asks the caller to try again: for credentials, or
// elsewhere.
func isStep(code int64) bool { return code == 401 || code == 407 || code >= 300 && code < 400 }

// setCode gives the dialog that was just added the final response to its INVITE, so
// that a row says how the call went before callstitch does.
func (c *converter) setCode(code int64) bool {
	c.batch.Dialogs[len(c.batch.Dialogs)-1].Code = &code
	return true
}

func (c *converter) addDialogRow(lr plog.LogRecord, phase store.Phase, fields fields[store.Dialog]) bool {
	var row store.Dialog
	// A record that passed no callstitch has no dialog's id.
	idKey := names.DialogID
	if text(lr.Attributes(), idKey) == "" {
		idKey = names.SIPCallID
	}
	switch phase {
	case store.Stitched:
	case store.Started:
		c.leaveOut = ofMessage
	default:
		c.leaveOut = ofMessageOrParties
	}
	ok := fill(c, lr, phase, names.KindDialog, idKey, &row, &row.Object, fields)
	c.leaveOut = nil
	if !ok {
		return false
	}
	if idKey == names.SIPCallID {
		row.SIPCallID, _ = cut(clean(text(lr.Attributes(), idKey)))
	}
	if phase == store.Started || phase == store.Stitched {
		row.FromParty = address(lr.Attributes(), names.SIPFromURIPrefix)
		row.ToParty = address(lr.Attributes(), names.SIPToURIPrefix)
	}
	c.batch.Dialogs = append(c.batch.Dialogs, row)
	return true
}

// ofMessageOrParties reports whether an attribute of a message says nothing about its dialog.
// The parties of a request within the dialog may be the other way round.
func ofMessageOrParties(key string) bool {
	return ofMessage(key) || strings.HasPrefix(key, "sip.") && key != names.SIPCallID
}

// ofMessage reports whether an attribute is about one message: callstitch leaves it out of the
// stitched dialog.
func ofMessage(key string) bool {
	switch {
	case key == names.OCMSLogger, strings.HasPrefix(key, names.OCMSAttributePrefix+"."):
		return false
	case strings.HasPrefix(key, names.SIPFromURIPrefix+"."), strings.HasPrefix(key, names.SIPToURIPrefix+"."), strings.HasPrefix(key, names.SIPURIPrefix+"."):
		return false
	default:
		_, has := dialogFields[key]
		return !has && (strings.HasPrefix(key, "sip.") || strings.HasPrefix(key, names.OCMS+".") || strings.HasPrefix(key, "log."))
	}
}

// address is that of a party as people write it: user@host, or the host alone, or
// else the URI.
func address(attributes pcommon.Map, prefix string) string {
	user, host := text(attributes, prefix+"."+names.URIUser), text(attributes, prefix+"."+names.URIHost)
	short := host
	switch {
	case host == "":
		short = text(attributes, prefix+"."+names.URIOriginal)
	case user != "":
		short = strings.Join([]string{user, host}, "@")
	}
	short, _ = cut(clean(short))
	return short
}

// text returns an attribute that is a text, "" if it is none.
func text(attributes pcommon.Map, key string) string {
	if v, ok := attributes.Get(key); ok && v.Type() == pcommon.ValueTypeStr {
		return v.Str()
	}
	return ""
}
