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

// identity names a Call Bridge by the rule of package callbridge: by its GUID, or by host
// and port if it is in no cluster.
type identity struct {
	guid       string               // "" until the server reported it
	configured []attribute.KeyValue // configured attributes, sorted; they take precedence
}

// configuredAttributes merges the attributes of all servers with those of one, which take
// precedence.
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

// resourceAttributes are the resource attributes of a server's records and metrics.
func (srv *server) resourceAttributes() []attribute.KeyValue {
	id := srv.identity.Load()
	all := callbridge.Identity{CallBridge: id.guid, Address: srv.address}.Attributes()
	all = append(all, attribute.String(names.ServerAddress, srv.host), attribute.Int(names.ServerPort, srv.port))
	return append(all, id.configured...)
}

// putResource writes the resource of the server's records.
func (srv *server) putResource(m pcommon.Map) { callbridge.Put(m, srv.resourceAttributes()) }

// attributeSet returns the resource of the server's metrics.
func (srv *server) attributeSet() attribute.Set { return attribute.NewSet(srv.resourceAttributes()...) }

const (
	// identityTimeout is how long a server may take to report its GUID; its connection
	// waits for that.
	identityTimeout = 5 * time.Second
	// identityInterval is the time between two requests for an unknown GUID.
	identityInterval = 10 * time.Minute
)

// learnIdentity requests the GUID of the server's Call Bridge, at most every
// identityInterval. The first answer holds for the lifetime of the receiver. learnIdentity
// is safe for concurrent use; one caller makes the request.
func (srv *server) learnIdentity(ctx context.Context) {
	id := srv.identity.Load()
	now, next := time.Now(), srv.nextIdentityRequest.Load()
	if id.guid != "" || now.UnixNano() < next || !srv.nextIdentityRequest.CompareAndSwap(next, now.Add(identityInterval).UnixNano()) {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, identityTimeout)
	defer cancel()
	guid, err := srv.account.api.CallBridgeID(bounded)
	if err != nil {
		srv.logger.Debug("The API does not report the GUID of the Call Bridge; records name it by host and port", zap.Error(err))
		return
	}
	if guid = callbridge.ID(guid); guid == "" {
		return // the server is in no cluster
	}
	srv.identity.Store(&identity{guid: guid, configured: id.configured})
	srv.queue.closeBatch()
}
