// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/otel/attribute"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/meetingserver/callbridge"
	"github.com/legato-otel/legato/internal/names"
)

// identity is what names a Call Bridge, by the rule of package callbridge. A server in
// no cluster is called by host and port.
type identity struct {
	callBridge string
	fixed      []attribute.KeyValue // configured, sorted; they win
}

// configuredAttributes are those of all servers with those of one over them.
func configuredAttributes(all, one map[string]string) (list []attribute.KeyValue) {
	merged := maps.Clone(all)
	if merged == nil {
		merged = map[string]string{}
	}
	maps.Copy(merged, one)
	for _, key := range slices.Sorted(maps.Keys(merged)) {
		list = append(list, attribute.String(key, merged[key]))
	}
	return list
}

// attributes are the resource of a link's records and metrics.
func (l *link) attributes() []attribute.KeyValue {
	id := l.identity.Load()
	all := callbridge.Identity{CallBridge: id.callBridge, Address: l.name}.Attributes()
	all = append(all, attribute.String(names.ServerAddress, l.host), attribute.Int(names.ServerPort, l.port))
	return append(all, id.fixed...)
}

// resource writes the resource of the server's records.
func (l *link) resource(m pcommon.Map) { callbridge.Put(m, l.attributes()) }

// set is the resource of the server's metrics, the same.
func (l *link) set() attribute.Set { return attribute.NewSet(l.attributes()...) }

const (
	// identityTimeout is how long a server may take to say which bridge it is:
	// its events are not put off for longer.
	identityTimeout = 5 * time.Second
	// identityEvery is how often a server that did not say so is asked again, at a
	// connection or while there is one.
	identityEvery = 10 * time.Minute
)

// learnIdentity asks a server which bridge of its cluster it is, at most every
// identityEvery. Its first answer holds for as long as the receiver runs. It may be
// called by several goroutines; one of them asks.
func (l *link) learnIdentity(ctx context.Context) {
	id := l.identity.Load()
	now, after := time.Now(), l.identityAfter.Load()
	if id.callBridge != "" || now.UnixNano() < after || !l.identityAfter.CompareAndSwap(after, now.Add(identityEvery).UnixNano()) {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, identityTimeout)
	defer cancel()
	own, err := l.account.api.CallBridgeID(bounded)
	if err != nil {
		l.logger.Debug("The server does not say which Call Bridge it is; it is named by host and port", zap.Error(err))
		return
	}
	if own = callbridge.ID(own); own == "" {
		return // in no cluster
	}
	l.identity.Store(&identity{callBridge: own, fixed: id.fixed})
	l.queue.renewResource()
}
