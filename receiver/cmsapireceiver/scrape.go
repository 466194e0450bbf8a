// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/meetingserver/api"
	"github.com/legato-otel/legato/internal/meetingserver/api/object"
	"github.com/legato-otel/legato/receiver/cmsapireceiver/internal/metadata"
)

const (
	// inventoryInterval is the time between two readings of the inventory: licences, the
	// configuration and the bridges of the cluster, the number of coSpaces. A restart of
	// the Call Bridge, which activates a new licence, makes it due at once.
	inventoryInterval = 10 * time.Minute
	// unknownRetryInterval is the time until an object is requested again that the server
	// does not know.
	unknownRetryInterval = time.Hour
	// The numbers of pages of lists that one scrape reads.
	alarmPages       = 3
	participantPages = 3
	alarmedLegPages  = 2
	legPages         = 2
	// callPages is the largest number of pages of the list of calls for events.
	callPages = 8
	// requestsForLegs is the number of requests that the details of calls leave for
	// participants and legs.
	requestsForLegs = 20
	// minLegDetails is the number of requests that the list of legs leaves for details.
	minLegDetails = 4
)

// scrape is one reading of one bridge.
type scrape struct {
	target  *target
	ctx     context.Context // limits the number of requests
	stopped bool            // nothing more is asked for
	problem problem
	err     error // of problem
}

// reading is the result of one scrape. nil means unknown.
type reading struct {
	at           time.Time
	start        time.Time // of the bridge
	status       object.Status
	clockOffset  *time.Duration
	inventory    inventory
	alarms       *api.Listing[object.Alarm]
	load         *object.Load
	database     *object.Database
	cdrReceivers *api.CDRReceivers
	hasReceiver  *bool // our CDR receiver
	calls        *int
	callList     *api.Listing[object.Call]    // nil unless needed for events
	legList      *api.Listing[object.CallLeg] // nil unless needed for events
	participants *api.Listing[object.Participant]
	alarmedLegs  *api.Listing[object.CallLeg]
	legs         []sampledLeg  // with details
	sampledCalls []object.Call // likewise
}

// inventory has the objects that change rarely. Each is kept until it is read again, or until a
// reading fails.
type inventory struct {
	nextRead time.Time // not read before
	cluster  *object.Cluster
	bridges  *api.Listing[object.CallBridge]
	features *[]object.Feature
	coSpaces *int
}

// readObject reads an object, and returns nil on failure.
func readObject[T any](s *scrape, object string, read func(context.Context) (T, error)) *T {
	if s.stopped || time.Now().Before(s.target.retryUnknownAt[object]) {
		return nil
	}
	value, err := read(s.ctx)
	if s.recordOutcome(object, err) {
		return nil
	}
	return &value
}

// recordOutcome records the outcome of reading an object, and reports whether it failed.
func (s *scrape) recordOutcome(object string, err error) bool {
	t := s.target
	if err != nil && isScrapeOver(s.ctx, err) {
		s.stopped = true
		if s.err == nil && s.ctx.Err() != nil {
			s.problem, s.err = metadata.AttributeProblemUnreachable, context.Cause(s.ctx)
		}
		return true
	}
	t.shared.telemetry.ReceiverCmsapiReads.Add(s.ctx, 1, readOptions[outcomeOf(err)]...)
	switch {
	case err == nil:
		delete(t.retryUnknownAt, object)
		return false
	case isUnknown(err):
		t.retryUnknownAt[object] = time.Now().Add(unknownRetryInterval)
		t.logger.Debug("The server does not know an object; it has no metrics", zap.String("object", object), zap.Error(err))
		return true
	}
	p := problemFromError(err)
	if s.err == nil || concernsServer(p) {
		s.problem, s.err = p, err
	}
	s.stopped = s.stopped || concernsServer(p)
	return true
}

// readAll reads all objects, the most important first; the details of legs use the remaining
// requests. It returns nil if the server could not be read.
func (s *scrape) readAll() *reading {
	t, c := s.target, s.target.client
	r := new(reading)
	asked := time.Now()
	status := readObject(s, "status", c.SystemStatus)
	if status == nil {
		if s.err == nil && s.ctx.Err() == nil { // 404: not the API at all
			s.problem, s.err = metadata.AttributeProblemNotAPI, errNoStatus
		}
		delete(t.retryUnknownAt, "status")
		return nil
	}
	s.setStatus(r, status, asked)
	s.readInventory(r.at)
	if !t.identity.known {
		return nil
	}
	r.inventory = t.inventory

	r.alarms = readObject(s, "alarms", func(ctx context.Context) (api.Listing[object.Alarm], error) {
		return c.Alarms(ctx, api.Range{Pages: alarmPages})
	})
	r.load = readObject(s, "load", c.Load)
	r.database = readObject(s, "database", c.Database)
	s.readReceivers(r)
	s.readCalls(r)
	r.participants = readObject(s, "participants", s.readParticipants)
	s.readLegs(r)
	return r
}

func (s *scrape) setStatus(r *reading, status *object.Status, asked time.Time) {
	t := s.target
	answered := time.Now()
	duration := answered.Sub(asked)
	r.at, r.status = answered, *status
	if uptime := status.UptimeSeconds; uptime != nil {
		var restarted bool
		if r.start, restarted = t.boot.observe(answered, *uptime, duration); restarted {
			t.logger.Info("The Call Bridge has restarted", zap.Time("start", r.start))
			t.inventory.nextRead = time.Time{}
		}
	}
	if !status.CDRTime.IsZero() {
		offset := status.CDRTime.Sub(asked.Add(duration / 2))
		r.clockOffset = &offset
	}
	if version := status.SoftwareVersion; version != t.version && len(version) <= maxVersion {
		t.version = version
		t.logger.Info("Scraping a Call Bridge", zap.String("version", version))
	}
}

// maxVersion is the longest version of a server that is logged, in bytes.
const maxVersion = 64

// readInventory reads the inventory if it is due. The next scrape reads failed objects again.
func (s *scrape) readInventory(now time.Time) {
	t, c := s.target, s.target.client
	inventory := &t.inventory
	if now.Before(inventory.nextRead) && t.identity.known {
		return
	}
	inventory.cluster = readObject(s, "cluster", c.Cluster)
	inventory.bridges = readObject(s, "callBridges", c.CallBridges)
	complete := s.isUnknown("cluster") || s.isUnknown("callBridges") || inventory.cluster != nil && inventory.bridges != nil
	var bridges []object.CallBridge
	if inventory.bridges != nil {
		bridges = inventory.bridges.Items
	}
	t.identity.update(inventory.cluster, bridges, complete)
	inventory.features = readObject(s, "licensing", c.Licensing)
	inventory.coSpaces = readObject(s, "coSpaces", c.CountCoSpaces)
	s.readPeers(bridges)
	if s.err == nil && !s.stopped {
		inventory.nextRead = now.Add(inventoryInterval)
	}
}

func (s *scrape) isUnknown(object string) bool { return !s.target.retryUnknownAt[object].IsZero() }

// readReceivers reads the CDR receivers of the bridge.
func (s *scrape) readReceivers(r *reading) {
	list := readObject(s, "cdrReceivers", s.target.client.CDRReceivers)
	r.cdrReceivers = list
	if list == nil || !s.target.receiver.IsSet() {
		return
	}
	present, known := s.target.receiver.FindIn(list.Receivers)
	if known {
		r.hasReceiver = &present
	}
}

// readParticipants reads the participants on the bridge. A server without a cluster hosts all of
// them, so their number is sufficient.
func (s *scrape) readParticipants(ctx context.Context) (api.Listing[object.Participant], error) {
	pages := participantPages
	if s.isAlone() {
		pages = 1
	}
	return s.target.client.Participants(ctx, api.Range{Pages: pages})
}

// isAlone reports whether no other bridge can host participants of the server's calls.
func (s *scrape) isAlone() bool {
	bridges := s.target.inventory.bridges
	return bridges != nil && bridges.Complete && bridges.Total <= 1
}

// readCalls reads the number of calls, or the list of calls for events and samples.
func (s *scrape) readCalls(r *reading) {
	t, c := s.target, s.target.client
	if !s.wantsLists() && t.shared.config.SampleCalls == 0 {
		r.calls = readObject(s, "calls", c.CountCalls)
		return
	}
	part := api.Range{Offset: t.calls.offset, Pages: 1}
	if s.wantsLists() {
		part = api.Range{Pages: 1, Whole: callPages}
	}
	list := readObject(s, "calls", func(ctx context.Context) (api.Listing[object.Call], error) { return c.Calls(ctx, part) })
	t.calls.offset = 0
	if list == nil {
		return
	}
	t.calls.offset, r.calls = list.Next, &list.Total
	if s.wantsLists() {
		r.callList = list
	}
	var ids []string
	for i := range list.Items {
		ids = append(ids, list.Items[i].ID)
	}
	for _, id := range t.calls.pick(min(t.shared.config.SampleCalls, api.RequestsLeft(s.ctx)-requestsForLegs), nil, ids) {
		if s.stopped {
			return
		}
		call, err := c.Call(s.ctx, id)
		switch {
		case err == nil:
			r.sampledCalls = append(r.sampledCalls, call)
		case !isUnknown(err): // one that has ended since is no fault
			s.recordOutcome("call", err)
		}
	}
}

func (s *scrape) wantsLists() bool {
	return s.target.shared.wantsEvents && s.target.shared.config.Events.Lists
}

// readLegs reads the details of the legs that the sampler selects.
func (s *scrape) readLegs(r *reading) {
	t, c := s.target, s.target.client
	read := func(alarmed bool, offset *int, pages int) *api.Listing[object.CallLeg] {
		name := "callLegs"
		if alarmed {
			name = "callLegs?alarms=all"
		}
		list := readObject(s, name, func(ctx context.Context) (api.Listing[object.CallLeg], error) {
			return c.CallLegs(ctx, alarmed, api.Range{Offset: *offset, Pages: pages})
		})
		*offset = 0
		if list != nil {
			*offset = list.Next
		}
		return list
	}
	r.alarmedLegs = read(true, &t.sampler.alarms, alarmedLegPages)
	others := s.readAllLegs(r)
	if t.shared.config.Sample == 0 {
		return
	}
	if others == nil {
		others = read(false, &t.sampler.offset, legPages)
	}
	n := min(t.shared.config.Sample, api.RequestsLeft(s.ctx))
	s.readDetails(r, t.sampler.pick(n, idsOf(r.alarmedLegs), idsOf(others)))
}

// readAllLegs reads the list of legs if events need it and its pages fit into the limit of
// requests. It returns nil for a list that must be read in parts.
func (s *scrape) readAllLegs(r *reading) *api.Listing[object.CallLeg] {
	if !s.wantsLists() {
		return nil
	}
	whole := api.RequestsLeft(s.ctx) - min(minLegDetails, s.target.shared.config.Sample)
	if whole < 1 {
		return nil
	}
	list := readObject(s, "callLegs", func(ctx context.Context) (api.Listing[object.CallLeg], error) {
		return s.target.client.CallLegs(ctx, false, api.Range{Pages: 1, Whole: whole})
	})
	if list == nil || !list.Complete {
		return nil
	}
	r.legList = list
	return list
}

func idsOf(list *api.Listing[object.CallLeg]) (ids []string) {
	if list == nil {
		return nil
	}
	for i := range list.Items {
		ids = append(ids, list.Items[i].ID)
	}
	return ids
}

// readDetails reads legs one by one. A leg that has ended since the list is not a fault.
func (s *scrape) readDetails(r *reading, ids []string) {
	t := s.target
	count := func(outcome metadata.AttributeLegOutcome) {
		t.shared.telemetry.ReceiverCmsapiLegs.Add(s.ctx, 1, legOptions[outcome]...)
	}
	for _, id := range ids {
		if s.stopped {
			return
		}
		leg, err := t.client.CallLeg(s.ctx, id)
		switch {
		case err == nil:
			count(metadata.AttributeLegOutcomeSampled)
			r.legs = append(r.legs, sampledLeg{leg, time.Now()})
		case isUnknown(err):
			count(metadata.AttributeLegOutcomeGone)
		default:
			count(metadata.AttributeLegOutcomeFailed)
			s.recordOutcome("callLeg", err)
		}
	}
}

func options(key, value string) []metric.AddOption {
	return []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(attribute.String(key, value)))}
}

var (
	readOptions = func() map[metadata.AttributeReadOutcome][]metric.AddOption {
		all := make(map[metadata.AttributeReadOutcome][]metric.AddOption)
		for text, outcome := range metadata.MapAttributeReadOutcome {
			all[outcome] = options("outcome", text)
		}
		return all
	}()
	legOptions = func() map[metadata.AttributeLegOutcome][]metric.AddOption {
		all := make(map[metadata.AttributeLegOutcome][]metric.AddOption)
		for text, outcome := range metadata.MapAttributeLegOutcome {
			all[outcome] = options("outcome", text)
		}
		return all
	}()
)
