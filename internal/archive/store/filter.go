// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"strconv"
	"strings"
	"time"
)

// ReasonFailure as a [Filter]'s reason is every reason that is a failure.
const ReasonFailure = "failure"

// Filter of a list. A zero value lets everything through. Party, Bridge, Dialled,
// Reason and MinLoss are met by one and the same leg: a conference is listed if it
// has such a leg.
type Filter struct {
	// From and To bound the start: from From on, before To.
	From, To time.Time
	// Party is the beginning of the display name or the address of the far end, or any part of
	// them if PartyAnywhere is set. The case of the letters a to z makes no difference.
	Party         string
	PartyAnywhere bool
	// Bridge is the id or the name of a Call Bridge that the leg was on; Dialled how
	// the address begins that it dialled or was called from. Like Party of the leg.
	Bridge, Dialled string
	// Owner is how the name of the meeting's owner begins.
	Owner string
	// Room is a room's id, or how its name begins, likewise.
	Room string
	// Reason in Cisco's words, or ReasonFailure.
	Reason string
	// MinLoss is the least packetLoss alarm, in percent of the leg's time; 0: any.
	MinLoss float64
	Tenant  string
	// MinDuration and MaxDuration are of ended objects: running ones have no duration.
	MinDuration, MaxDuration time.Duration
	// State is StateRunning, StateEnded or empty.
	State string
	// Result and Code are how a SIP call went and its final response, 0 for any; only
	// DialogsWithoutLeg asks for them.
	Result string
	Code   int64
}

// ofOneLeg reports whether the legs have to be searched: a conference's row has its worst loss
// and how many legs failed, no more.
func (f *Filter) ofOneLeg() bool {
	return f.Party != "" || f.Bridge != "" || f.Dialled != "" || f.Reason != "" && (f.Reason != ReasonFailure || f.MinLoss > 0)
}

// conditions of a query, and its parameters.
type conditions struct {
	all  []string
	args []any
}

// parameter adds one and returns its place.
func (c *conditions) parameter(v any) string {
	c.args = append(c.args, v)
	return "$" + strconv.Itoa(len(c.args))
}

// and adds a condition; each ? in it is a parameter.
func (c *conditions) and(condition string, args ...any) {
	c.all = append(c.all, c.fill(condition, args...))
}

// fill writes the places of parameters for each ?.
func (c *conditions) fill(text string, args ...any) string {
	var b strings.Builder
	for _, arg := range args {
		before, after, _ := strings.Cut(text, "?")
		b.WriteString(before)
		b.WriteString(c.parameter(arg))
		text = after
	}
	b.WriteString(text)
	return b.String()
}

// where is the clause, "" without a condition.
func (c *conditions) where() string {
	if len(c.all) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.all, " AND ")
}

// highest sorts behind every continuation of a text.
const highest = "\U0010FFFF"

// begins is the condition that a column begins with a text, such that the index
// of lower(column) is used. The index leaves out NULL.
func (c *conditions) begins(column, text string) string {
	text = asciiLower(text)
	return c.fill("("+column+" IS NOT NULL AND lower("+column+") >= ? AND lower("+column+") < ?)", text, text+highest)
}

// asciiLower is lower() of a column: of the letters a to z on either database, whatever
// PostgreSQL's locale is. It must not be left to the database: there a parameter
// has the locale's lower(), and the columns have not.
func asciiLower(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}

// likeEscape makes a text one that LIKE takes by the letter.
var likeEscape = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// like is the condition that a column begins with a text, or has it in it, such
// that no index is used.
func (c *conditions) like(column, text string, anywhere bool) string {
	pattern := likeEscape.Replace(asciiLower(text)) + "%"
	if anywhere {
		pattern = "%" + pattern
	}
	return c.fill("lower("+column+`) LIKE ? ESCAPE '\'`, pattern)
}

// party is the condition on a leg's far end, without an index: what the bridge says
// of it, and what the dialog of the leg's SIP call does.
func (c *conditions) party(f *Filter) {
	like := func(column string) string { return c.like(column, f.Party, f.PartyAnywhere) }
	c.all = append(c.all, "("+like("remote_party")+" OR "+like("display_name")+
		" OR EXISTS (SELECT 1 FROM dialogs WHERE dialogs.sip_call_id = call_legs.sip_call_id AND ("+
		like(farEnd("party"))+" OR "+like(farEnd("name"))+")))")
}

// farEnd is the party of a dialog that is at the far end of its leg: the caller,
// unless the bridge called.
func farEnd(column string) string {
	return "CASE WHEN call_legs.direction = 'outgoing' THEN dialogs.to_" + column + " ELSE dialogs.from_" + column + " END"
}

// leg adds the conditions on one leg, such that no index is used.
func (c *conditions) leg(f *Filter) {
	if f.Party != "" {
		c.party(f)
	}
	if f.Bridge != "" {
		c.and("(COALESCE(bridge, '') = ? OR COALESCE(system, '') = ?)", f.Bridge, f.Bridge)
	}
	if f.Dialled != "" {
		c.all = append(c.all, c.like("local_address", f.Dialled, false))
	}
	switch f.Reason {
	case "":
	case ReasonFailure:
		c.and("COALESCE(error_type, '') <> ''")
	default:
		c.and("COALESCE(reason, '') = ?", f.Reason)
	}
	if f.MinLoss > 0 {
		c.and("COALESCE(packet_loss_percent, 0) >= ?", f.MinLoss)
	}
}

// room adds the conditions on the room, but not of its name if that is known to
// be so, and of the tenant.
func (c *conditions) room(f *Filter, nameKnown bool) {
	switch {
	case isID(f.Room):
		c.and("room_id = ?", strings.ToLower(f.Room))
	case f.Room != "" && !nameKnown:
		c.all = append(c.all, c.like("room_name", f.Room, false))
	}
	if f.Tenant != "" {
		c.and("tenant_id = ?", strings.ToLower(f.Tenant))
	}
}

// owner adds the condition on the owner of a conference.
func (c *conditions) owner(f *Filter) {
	if f.Owner != "" {
		c.all = append(c.all, c.like("owner_name", f.Owner, false))
	}
}

// ownerOfLeg adds likewise to the conditions on a leg.
func (c *conditions) ownerOfLeg(f *Filter) {
	if f.Owner == "" {
		return
	}
	of := conditions{args: c.args}
	of.and("conferences.trace_id = call_legs.trace_id")
	of.owner(f)
	c.args = of.args
	c.all = append(c.all, "EXISTS (SELECT 1 FROM conferences"+of.where()+")")
}

// over adds the state, if it is not the one that has an index, and the limits of
// the duration.
func (c *conditions) over(f *Filter) {
	if f.State == StateEnded {
		c.and("state <> 'running'")
	}
	if f.MinDuration > 0 {
		c.and("duration_seconds >= ?", f.MinDuration.Seconds())
	}
	if f.MaxDuration > 0 {
		c.and("duration_seconds <= ?", f.MaxDuration.Seconds())
	}
}

// isID reports whether a room is given by its id, which is a GUID.
func isID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
		default:
			return false
		}
	}
	return true
}
