// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mixin

import "fmt"

// pipelineAlerts are about the Collector: the data that it holds and cannot deliver, and the
// data that it lost.
func (c Config) pipelineAlerts() []Rule {
	t := c.Thresholds
	queue := c.own("otelcol_exporter_queue_size", noSuffix)
	saturated := alert("LegatoQueueSaturated", warning, "5m",
		fmt.Sprintf(`max by (%[1]s) (%[2]s)
  /
max by (%[1]s) (%[3]s > 0)
  > %[4]g`, c.collector("exporter", "data_type"), queue, c.own("otelcol_exporter_queue_capacity", noSuffix), t.QueueRatio),
		"The queue of an exporter is nearly full",
		"The queue of "+label("exporter")+" in "+c.ofCollector()+" is {{ $value | humanizePercentage }} full ("+label("data_type")+"): what finds no room is refused.")
	// A queue that swings about the threshold is one incident.
	saturated.KeepFiringFor = "5m"
	return []Rule{
		// The receivers acknowledge, callstitch owes nothing, and the stored queue grows:
		// only its size shows a backend that is away. A queue in use is empty now and then.
		alert("LegatoBackendDown", warning, "",
			fmt.Sprintf(`min by (%[1]s) (min_over_time(%[2]s[5m])) > 0
  and on (%[1]s)
max by (%[1]s) (delta(%[2]s[5m])) > 0`, c.collector("exporter", "data_type"), queue),
			"A backend takes nothing",
			"The queue of "+label("exporter")+" in "+c.ofCollector()+" has grown to {{ $value | printf \"%.0f\" }}, in five minutes in which it was never empty ("+label("data_type")+"): the backend does not take what is sent."),
		saturated,
		alert("LegatoCollectorDown", critical, "5m",
			fmt.Sprintf(`max by (%s) (%s) == 0`, c.collector(), "up"+braces([]string{c.CollectorSelector, c.SelfSelector})),
			"A Collector is down",
			c.ofCollector()+" cannot be scraped. Call Bridges keep their records until they overflow."),
		// Requests that wait for a write are refused: the bridges see 503.
		alert("LegatoStateUnwritable", critical, "",
			rises(c.collector(), c.own("otelcol_processor_callstitch_storage_failures", totalSuffix), "5m", 0),
			"The state of callstitch cannot be stored",
			c.ofCollector()+" failed to store its state "+counted("time", "times")+" in five minutes: disk full, or storage gone. Requests are refused meanwhile."),
		alert("LegatoStateLost", critical, "",
			rises(c.collector(), c.own("otelcol_processor_callstitch_storage_segments_lost", totalSuffix), "1h", 0),
			"A part of the stored state could not be read",
			c.ofCollector()+" could not read "+counted("segment", "segments")+" of its state at the start: open calls in them are lost."),
		alert("LegatoSpansLost", critical, "",
			rises(c.collector(), c.own("otelcol_processor_callstitch_rejected", totalSuffix), "15m", 0),
			"Stitched records were refused permanently",
			c.ofCollector()+" lost "+counted("stitched record", "stitched records")+": what comes after callstitch refused them permanently."),
		alert("LegatoSpansDelayed", warning, "5m",
			fmt.Sprintf(`max by (%s) (%s) > %d`, c.collector(), c.own("otelcol_processor_callstitch_owed_age", secondsSuffix), t.SpansOwedSeconds),
			"Stitched records are not taken",
			"The oldest stitched record of "+c.ofCollector()+" has waited for {{ $value | humanizeDuration }}: what comes after callstitch refuses it."),
		alert("LegatoSpansIncomplete", warning, "",
			rises(c.collector(), c.own("otelcol_processor_callstitch_evicted", totalSuffix), "15m", 0),
			"Open calls were given up to make room",
			c.ofCollector()+" gave up "+counted("open object", "open objects")+" because max_objects was reached: their spans are incomplete."),
		alert("LegatoSpansInvalid", warning, "",
			rises(c.collector("reason"), c.own("otelcol_connector_logtospan_records", totalSuffix, `outcome="invalid"`), "15m", 0),
			"Stitched records could not become spans",
			c.ofCollector()+" dropped "+counted("stitched record", "stitched records")+" on the way to spans: "+label("reason")+"."),
		alert("LegatoArchiveWriteFailing", critical, "",
			rises(c.collector(), c.own("otelcol_exporter_callrecord_write_failures", totalSuffix), "5m", 0),
			"The call archive cannot be written",
			c.ofCollector()+" failed "+counted("transaction", "transactions")+" of the call archive in five minutes. What was in them is written again."),
		alert("LegatoArchiveRecordsRefused", warning, "",
			rises(c.collector("outcome"), c.own("otelcol_exporter_callrecord_records", totalSuffix, `outcome=~"invalid|refused"`), "15m", 0),
			"Records are not in the call archive",
			c.ofCollector()+" left "+counted("record", "records")+" out of the call archive ("+label("outcome")+")."),
		alert("LegatoArchiveRetentionFailing", warning, "",
			rises(c.collector(), c.own("otelcol_exporter_callrecord_retention_failures", totalSuffix), "1h", 0),
			"Old rows of the call archive are not deleted",
			c.ofCollector()+" failed to delete rows older than retention "+counted("time", "times")+" in an hour."),
		alert("LegatoSyslogRecordsLost", warning, "",
			rises(c.collector(), c.own("otelcol_receiver_cmssyslog_records", totalSuffix, `outcome="lost"`), "15m", 0),
			"The pipeline refuses syslog of Meeting Servers permanently",
			c.ofCollector()+" lost "+counted("record", "records")+" of syslog."),
		alert("LegatoEventsLost", warning, "",
			rises(c.collector(), c.own("otelcol_receiver_cmsevents_records", totalSuffix, `outcome="refused"`), "15m", 0),
			"The pipeline refuses events of Call Bridges permanently",
			c.ofCollector()+" lost "+counted("event", "events")+" of Call Bridges: what comes after the receiver refused them permanently."),
	}
}
