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
	err = decode(body, "status", setters{
		"hostid": setText(&s.HostID), "softwareversion": setText(&s.SoftwareVersion), "uptimeseconds": setCount(&s.UptimeSeconds),
		"cdrtime": setTime(&s.CDRTime), "activated": setBool(&s.Activated),
		"clusterenabled": setBool(&s.ClusterEnabled), "clusterid": setText(&s.ClusterID),
		"cdrcorrelatorindex": setCount(&s.CDRCorrelatorIndex),
		"calllegsactive":     setCount(&s.CallLegsActive), "calllegsmaxactive": setCount(&s.CallLegsMaxActive), "calllegscompleted": setCount(&s.CallLegsCompleted),
		"audiobitrateoutgoing": setCount(&s.AudioBitRateOutgoing), "audiobitrateincoming": setCount(&s.AudioBitRateIncoming),
		"videobitrateoutgoing": setCount(&s.VideoBitRateOutgoing), "videobitrateincoming": setCount(&s.VideoBitRateIncoming),
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
	return decodePage(body, "alarms", "alarm", func(a *Alarm) setters {
		return setters{
			"id": setText(&a.ID), "type": setText(&a.Type), "activetimeseconds": setCount(&a.ActiveTimeSeconds), "failurereason": setText(&a.FailureReason),
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
	err = decode(body, "load", setters{"mediaprocessingload": setCount(&l.MediaProcessingLoad)})
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
	err = decode(body, "cluster", setters{
		"uniquename": setText(&c.UniqueName), "peerlinkbitrate": setCount(&c.PeerLinkBitRate),
		"participantlimit": setCount(&c.ParticipantLimit), "loadlimit": setCount(&c.LoadLimit),
		"newconferenceloadlimitbasispoints":      setCount(&c.NewConferenceLoadLimitBasisPoints),
		"existingconferenceloadlimitbasispoints": setCount(&c.ExistingConferenceLoadLimitBasisPoints),
		"maxpeervideostreams":                    setCount(&c.MaxPeerVideoStreams),
	})
	return c, err
}

// CallBridge is an entry of /callBridges, or /callBridges/ID.
type CallBridge struct {
	ID, Name string
	// Address is the URL of the bridge's API, in its details alone.
	Address string
}

func (b *CallBridge) setters() setters {
	return setters{"id": setText(&b.ID), "name": setText(&b.Name), "address": setText(&b.Address)}
}

// DecodeCallBridges reads a page of /callBridges. A server in no cluster has none.
func DecodeCallBridges(body []byte) (Page[CallBridge], error) {
	return decodePage(body, "callBridges", "callBridge", (*CallBridge).setters)
}

// DecodeCallBridge reads /callBridges/ID.
func DecodeCallBridge(body []byte) (b CallBridge, err error) {
	err = decode(body, "callBridge", b.setters())
	return b, err
}

// FindOwn returns the server itself among the Call Bridges of its cluster: the entry
// whose name is the server's unique name. It is the callBridge of its call detail
// records.
func FindOwn(cluster Cluster, bridges []CallBridge) (CallBridge, bool) {
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
	top := setters{
		"clustered": setBool(&d.Clustered), "cluster/totalnodes": setCount(&d.TotalNodes), "cluster/nodeinuse": setText(&d.NodeInUse), "cluster/error": setText(&d.Error),
	}
	const node = "cluster/node"
	var own setters // of the node that is read
	err = scanDocument(body, "database", visitor{
		begin: func(path []byte) {
			if string(path) != node {
				return
			}
			own = nil
			if len(d.Nodes) < MaxItems {
				d.Nodes = append(d.Nodes, DatabaseNode{})
				n := &d.Nodes[len(d.Nodes)-1]
				own = setters{"hostname": setText(&n.Hostname), "up": setBool(&n.Up), "syncbehind": setCount(&n.SyncBehind), "master": setBool(&n.Master)}
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
	err = scanDocument(body, "licensing", visitor{
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
				setText(&own.Status)(value)
			case prefix + own.Name + "/expiry":
				setDate(&own.Expiry)(value)
			}
		},
	})
	return features, err
}
