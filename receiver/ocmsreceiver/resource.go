// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"os"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/otel/attribute"

	"github.com/legato-otel/legato/internal/names"
)

// maxHostName is the longest host name of a syslog header that is kept, in bytes.
const maxHostName = 128

type pair struct{ key, value string }

// resources creates the resources of lines.
type resources struct {
	static    map[string]string
	localHost string // of this machine, whose files are read
}

func newResources(config *Config) resources {
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	return resources{static: config.ResourceAttributes, localHost: host}
}

// ofFiles returns the resource of lines in files: the host of this Collector.
func (r resources) ofFiles() resource { return r.build(r.localHost, "") }

// ofSyslog returns the resource of a syslog message: the host in its header, else the
// address of its sender.
func (r resources) ofSyslog(host, address string) resource {
	host = strings.ToValidUTF8(host[:min(len(host), maxHostName)], "")
	return r.build(host, address)
}

func (r resources) build(host, address string) resource {
	instance := host
	if instance == "" {
		instance = address
	}
	all := make(resource, 0, 4+len(r.static))
	all.set(names.ServiceName, names.OCMSServiceName)
	all.set(names.ServiceInstanceID, instance)
	all.set(names.HostName, host)
	all.set(names.ClientAddress, address)
	for key, value := range r.static {
		all.set(key, value)
	}
	return all
}

// resource describes the server that wrote lines.
type resource []pair

func (r *resource) set(key, value string) {
	if value == "" {
		return
	}
	for i := range *r {
		if (*r)[i].key == key {
			(*r)[i].value = value
			return
		}
	}
	*r = append(*r, pair{key, value})
}

// putTo writes the attributes of a log resource.
func (r resource) putTo(m pcommon.Map) {
	m.EnsureCapacity(len(r))
	for _, p := range r {
		m.PutStr(p.key, p.value)
	}
}

// metricAttributes returns the attributes of a metric resource: all but the address of
// the sender.
func (r resource) metricAttributes() attribute.Set {
	attributes := make([]attribute.KeyValue, 0, len(r))
	for _, p := range r {
		if p.key != names.ClientAddress {
			attributes = append(attributes, attribute.String(p.key, p.value))
		}
	}
	return attribute.NewSet(attributes...)
}
