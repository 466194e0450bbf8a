// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package cluster carries the name of a cluster of Call Bridges from a payload to the
// exporters behind it.
//
// Nothing on the wire names a cluster: the operator does, by the resource attribute
// cisco.meeting_server.cluster in resource_attributes or query_parameters of a receiver.
// The load-balancing exporter reads that attribute. The Kafka exporter takes its message
// key, and the exporter helper its partitions of batches, from the client metadata of a
// request alone. Receivers therefore repeat the attribute there, under the same name.
//
// The metadata is computed from the payload, so that both always agree. A payload of
// several clusters has none; a receiver that makes such payloads splits them first.
package cluster
