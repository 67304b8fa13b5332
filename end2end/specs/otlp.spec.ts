// What the real OpenTelemetry SDK sends is stored once, in both encodings and both temporalities.

import { OTLPLogExporter as LogsAsJson } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter as LogsAsProtobuf } from "@opentelemetry/exporter-logs-otlp-proto";
import { AggregationTemporalityPreference, OTLPMetricExporter as MetricsAsJson } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPMetricExporter as MetricsAsProtobuf } from "@opentelemetry/exporter-metrics-otlp-proto";
import { CompressionAlgorithm } from "@opentelemetry/otlp-exporter-base";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { expect, test } from "../fixtures/test.js";

const resource = resourceFromAttributes({
  "service.name": "claude-code", "gt.role": "gastown/polecats/furiosa", "gt.rig": "gastown", "gt.issue": "gt-69dai",
});

/** As Claude Code makes its provider: nothing goes out by the clock here, only when it is told to. */
function meters(exporter: MetricsAsJson | MetricsAsProtobuf) {
  return new MeterProvider({ resource, readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })] });
}

type Stored = { agent: string; role: string; bead: string; kind: string; tokens?: number; cost?: number };

for (const encoding of ["json", "protobuf"] as const) {
  for (const temporality of ["DELTA", "CUMULATIVE"] as const) {
    test(`sums and then calls of one session, ${encoding}, ${temporality.toLowerCase()}`, async ({ request, server }) => {
      const town = `${encoding}-${temporality}`.toLowerCase();
      const session = { "session.id": `s-${town}`, "user.email": "somebody@example.org" };
      const calls = async (): Promise<Stored[]> => {
        const answer = await request.get(`${server.url}/api/events?town=${town}`);
        return (await answer.json()).events.filter(({ kind }: Stored) => kind === "model_call");
      };
      const sum = (all: Stored[]) => all.reduce((total, { tokens }) => total + (tokens ?? 0), 0);

      const temporalityPreference = AggregationTemporalityPreference[temporality];
      const metrics = { url: `${server.url}/opentelemetry/api/v1/push?town=${town}`, temporalityPreference };
      const provider = meters(encoding === "json" ? new MetricsAsJson(metrics) : new MetricsAsProtobuf(metrics));
      const meter = provider.getMeter("com.anthropic.claude_code", "2.1.220");
      const tokens = meter.createCounter("claude_code.token.usage", { unit: "tokens" });
      const cost = meter.createCounter("claude_code.cost.usage", { unit: "USD" });
      const told = { ...session, model: "claude-sonnet-4-6" };
      tokens.add(4, { ...told, type: "input" });
      tokens.add(70, { ...told, type: "output" });
      cost.add(0.25, told);
      await provider.forceFlush();
      tokens.add(30, { ...told, type: "output" });
      await provider.forceFlush();
      // Nothing new: running sums go out once more.
      await provider.shutdown();
      const summed = await calls();
      expect(sum(summed)).toBe(104);
      expect(summed.reduce((total, { cost }) => total + (cost ?? 0), 0)).toBe(250_000_000);

      const logs = { url: `${server.url}/insert/opentelemetry/v1/logs?town=${town}`, compression: CompressionAlgorithm.GZIP };
      const exporter = encoding === "json" ? new LogsAsJson(logs) : new LogsAsProtobuf(logs);
      const loggers = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter })] });
      const logger = loggers.getLogger("com.anthropic.claude_code.events", "2.1.220");
      for (const sequence of [1, 2]) {
        logger.emit({
          body: "claude_code.api_request",
          attributes: {
            ...session, "event.name": "api_request", "event.sequence": sequence, model: "claude-sonnet-4-6", input_tokens: 2,
            output_tokens: 50, cache_read_tokens: "7", cost_usd: 0.5, duration_ms: 12, request_id: `req_${town}_${sequence}`,
          },
        });
      }
      await loggers.shutdown();
      const called = await calls();
      expect(called).toHaveLength(2);
      expect(sum(called)).toBe(118);
      expect(called[0]).toMatchObject({ agent: "furiosa", role: "polecat", bead: "gt-69dai", cost: 500_000_000 });
    });
  }
}
