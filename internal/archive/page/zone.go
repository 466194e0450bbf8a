// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // a Collector may run where there is none
)

const (
	// paramZone names the zone of the times in an address, so that an address that was
	// mailed asks for the same times wherever it is opened.
	paramZone = "tz"
	// zoneCookie holds the browser's zone. The script sets it.
	zoneCookie = "zone"
	// maxZone bounds the name of a zone, in bytes.
	maxZone = 64
	// mostZones bounds the zones that are kept. There are 600; a file system finds each
	// under more names than that.
	mostZones = 1000
)

// zones that were asked for, by their names.
var (
	zones     = map[string]*time.Location{}
	zonesLock sync.Mutex // guards zones
)

// zoneNamed returns a zone of the time zone database, nil if there is none of that
// name.
func zoneNamed(name string) *time.Location {
	if name == "" || name == "Local" || len(name) > maxZone {
		return nil
	}
	zonesLock.Lock()
	defer zonesLock.Unlock()
	if known, ok := zones[name]; ok {
		return known
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	if len(zones) >= mostZones {
		clear(zones)
	}
	zones[name] = zone
	return zone
}

// zoneOf a request: that of the browser, else that of the address, else UTC.
func zoneOf(r *http.Request) *time.Location {
	if cookie, err := r.Cookie(zoneCookie); err == nil {
		if name, err := url.QueryUnescape(cookie.Value); err == nil {
			if zone := zoneNamed(name); zone != nil {
				return zone
			}
		}
	}
	if zone := zoneNamed(r.URL.Query().Get(paramZone)); zone != nil {
		return zone
	}
	return time.UTC
}

// withZone is the address of a page with another zone, from where it is.
func withZone(r *http.Request, zone string) string {
	query := r.URL.Query()
	query.Set(paramZone, zone)
	query.Del(paramLive)
	return "?" + query.Encode()
}

// truncate moves a time back to a full step, days to midnight in its zone.
func truncate(t time.Time, step time.Duration) time.Time {
	_, offset := t.Zone()
	shift := time.Duration(offset) * time.Second
	return t.Add(shift).Truncate(step).Add(-shift)
}

// zoneWords is how a zone is called: its name, and its distance from UTC now.
func zoneWords(now time.Time) string {
	name := now.Location().String()
	if name == "UTC" {
		return name
	}
	return strings.ReplaceAll(name, "_", " ") + " (" + now.Format("UTC-07:00") + ")"
}
