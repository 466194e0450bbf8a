// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package object

import (
	"slices"
	"strings"
	"time"
)

// Status is /system/status.
type Status struct {
	HostID          string
	SoftwareVersion string
	// UptimeSeconds since the start of the Call Bridge; a start is a new session of
	// call detail records.
	UptimeSeconds *int64
	// CDRTime is the time that a record created now would carry.
	CDRTime time.Time
	// Activated is absent from release 3.0 on: absent is not false.
	Activated      *bool
	ClusterEnabled *bool
	ClusterID      string
	// CDRCorrelatorIndex is the index of the next call detail record, from 2.2 on.
	CDRCorrelatorIndex *int64
	CallLegsActive     *int64
	// CallLegsMaxActive is the most there were since the start.
	CallLegsMaxActive *int64
	// CallLegsCompleted since the start.
	CallLegsCompleted *int64
	// Bit rates of all legs together, in bit/s.
	AudioBitRateOutgoing, AudioBitRateIncoming, VideoBitRateOutgoing, VideoBitRateIncoming *int64
}

// DecodeStatus reads /system/status.
func DecodeStatus(body []byte) (s Status, err error) {
	err = decode(body, "status", fields{
		"hostid": text(&s.HostID), "softwareversion": text(&s.SoftwareVersion), "uptimeseconds": count(&s.UptimeSeconds),
		"cdrtime": instant(&s.CDRTime), "activated": truth(&s.Activated),
		"clusterenabled": truth(&s.ClusterEnabled), "clusterid": text(&s.ClusterID),
		"cdrcorrelatorindex": count(&s.CDRCorrelatorIndex),
		"calllegsactive":     count(&s.CallLegsActive), "calllegsmaxactive": count(&s.CallLegsMaxActive), "calllegscompleted": count(&s.CallLegsCompleted),
		"audiobitrateoutgoing": count(&s.AudioBitRateOutgoing), "audiobitrateincoming": count(&s.AudioBitRateIncoming),
		"videobitrateoutgoing": count(&s.VideoBitRateOutgoing), "videobitrateincoming": count(&s.VideoBitRateIncoming),
	})
	return s, err
}

// Alarm is an entry of /system/alarms.
type Alarm struct {
	ID   string
	Type string
	// ActiveTimeSeconds is for how long it is active.
	ActiveTimeSeconds *int64
	FailureReason     string
}

// DecodeAlarms reads a page of /system/alarms.
func DecodeAlarms(body []byte) (Page[Alarm], error) {
	return decodePage(body, "alarms", "alarm", func(a *Alarm) fields {
		return fields{
			"id": text(&a.ID), "type": text(&a.Type), "activetimeseconds": count(&a.ActiveTimeSeconds), "failurereason": text(&a.FailureReason),
		}
	})
}

// Load is /system/load.
type Load struct {
	// MediaProcessingLoad is in the units of Cluster.LoadLimit: no percentage.
	MediaProcessingLoad *int64
}

// DecodeLoad reads /system/load.
func DecodeLoad(body []byte) (l Load, err error) {
	err = decode(body, "load", fields{"mediaprocessingload": count(&l.MediaProcessingLoad)})
	return l, err
}

// Cluster is /system/configuration/cluster. All of it is optional.
type Cluster struct {
	// UniqueName is the server's own name among the Call Bridges of its cluster.
	UniqueName string
	// PeerLinkBitRate is the most a link to another bridge may take, in bit/s.
	PeerLinkBitRate  *int64
	ParticipantLimit *int64
	// LoadLimit is in units of Load.MediaProcessingLoad.
	LoadLimit *int64
	// Shares of LoadLimit in 1/10000 up to which conferences begin or grow.
	NewConferenceLoadLimitBasisPoints, ExistingConferenceLoadLimitBasisPoints *int64
	MaxPeerVideoStreams                                                       *int64
}

// DecodeCluster reads /system/configuration/cluster.
func DecodeCluster(body []byte) (c Cluster, err error) {
	err = decode(body, "cluster", fields{
		"uniquename": text(&c.UniqueName), "peerlinkbitrate": count(&c.PeerLinkBitRate),
		"participantlimit": count(&c.ParticipantLimit), "loadlimit": count(&c.LoadLimit),
		"newconferenceloadlimitbasispoints":      count(&c.NewConferenceLoadLimitBasisPoints),
		"existingconferenceloadlimitbasispoints": count(&c.ExistingConferenceLoadLimitBasisPoints),
		"maxpeervideostreams":                    count(&c.MaxPeerVideoStreams),
	})
	return c, err
}

// CallBridge is an entry of /callBridges, or /callBridges/ID.
type CallBridge struct {
	ID, Name string
	// Address is the URL of the bridge's API, in its details alone.
	Address string
}

func (b *CallBridge) fields() fields {
	return fields{"id": text(&b.ID), "name": text(&b.Name), "address": text(&b.Address)}
}

// DecodeCallBridges reads a page of /callBridges. A server in no cluster has none.
func DecodeCallBridges(body []byte) (Page[CallBridge], error) {
	return decodePage(body, "callBridges", "callBridge", (*CallBridge).fields)
}

// DecodeCallBridge reads /callBridges/ID.
func DecodeCallBridge(body []byte) (b CallBridge, err error) {
	err = decode(body, "callBridge", b.fields())
	return b, err
}

// Own returns the server itself among the Call Bridges of its cluster: the entry
// whose name is the server's unique name. It is the callBridge of its call detail
// records.
func Own(cluster Cluster, bridges []CallBridge) (CallBridge, bool) {
	if cluster.UniqueName == "" {
		return CallBridge{}, false
	}
	i := slices.IndexFunc(bridges, func(b CallBridge) bool { return b.Name == cluster.UniqueName })
	if i < 0 {
		return CallBridge{}, false
	}
	return bridges[i], true
}

// Database is /system/database.
type Database struct {
	// Clustered is false if the database is the server's own, with nothing more.
	Clustered *bool
	// TotalNodes is how many nodes are configured, NodeInUse the one that this
	// server uses.
	TotalNodes *int64
	NodeInUse  string
	Nodes      []DatabaseNode
	// Error is the server's own text about a fault.
	Error string
}

// DatabaseNode is one node of a database cluster.
type DatabaseNode struct {
	Hostname string
	Up       *bool
	// SyncBehind is how many bytes the node is behind the primary; absent if the
	// server does not know.
	SyncBehind *int64
	// Master is true on the primary.
	Master *bool
}

// DecodeDatabase reads /system/database.
func DecodeDatabase(body []byte) (d Database, err error) {
	top := fields{
		"clustered": truth(&d.Clustered), "cluster/totalnodes": count(&d.TotalNodes), "cluster/nodeinuse": text(&d.NodeInUse), "cluster/error": text(&d.Error),
	}
	const node = "cluster/node"
	var own fields // of the node that is read
	err = scan(body, "database", visitor{
		begin: func(path []byte) {
			if string(path) != node {
				return
			}
			own = nil
			if len(d.Nodes) < MaxItems {
				d.Nodes = append(d.Nodes, DatabaseNode{})
				n := &d.Nodes[len(d.Nodes)-1]
				own = fields{"hostname": text(&n.Hostname), "up": truth(&n.Up), "syncbehind": count(&n.SyncBehind), "master": truth(&n.Master)}
			}
		},
		leaf: func(path []byte, text string) {
			set := top[string(path)]
			if name, below := strings.CutPrefix(string(path), node+"/"); below {
				set = own[name]
			}
			if set != nil {
				set(text)
			}
		},
	})
	return d, err
}

// Feature is one of /system/licensing.
type Feature struct {
	// Name is the element's: callBridge, webBridge, turn, recording, ... in lower
	// case.
	Name string
	// Status is the server's text: activated, grace, expired, noLicense, ...
	Status string
	// Expiry is the first day without the licence; zero if the server gives none.
	Expiry time.Time
}

// DecodeLicensing reads the features of /system/licensing.
func DecodeLicensing(body []byte) (features []Feature, err error) {
	const prefix = "features/"
	err = scan(body, "licensing", visitor{
		begin: func(path []byte) {
			name, below := strings.CutPrefix(string(path), prefix)
			if below && !strings.Contains(name, "/") && len(features) < MaxItems {
				features = append(features, Feature{Name: name})
			}
		},
		leaf: func(path []byte, value string) {
			if len(features) == 0 {
				return
			}
			own := &features[len(features)-1]
			switch string(path) {
			case prefix + own.Name + "/status":
				text(&own.Status)(value)
			case prefix + own.Name + "/expiry":
				day(&own.Expiry)(value)
			}
		},
	})
	return features, err
}
