{{- define "tidegate.name" -}}
{{- .Release.Name | trunc 30 | trimSuffix "-" -}}
{{- end }}

{{- define "tidegate.labels" -}}
app.kubernetes.io/name: tidegate
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* Of one service; (dict "root" $ "name" "ingest"), the name of its principal, by which rules and dashboards go */}}
{{- define "tidegate.selector" -}}
app.kubernetes.io/name: tidegate
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "tidegate.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "tidegate.bootstrap" -}}
{{- if .Values.kafka.bootstrap -}}
{{ .Values.kafka.bootstrap }}
{{- else if .Values.strimzi.enabled -}}
{{ .Values.strimzi.cluster }}-kafka-bootstrap:{{ ternary 9093 9092 .Values.kafka.tls }}
{{- else -}}
{{ fail "kafka.bootstrap is needed without strimzi" }}
{{- end }}
{{- end }}

{{- define "tidegate.caSecret" -}}
{{- if .Values.kafka.tls -}}
{{ .Values.kafka.caSecret | default (ternary (printf "%s-cluster-ca-cert" .Values.strimzi.cluster) "" .Values.strimzi.enabled) }}
{{- end }}
{{- end }}

{{/* The name of a principal of Kafka, and of the Secret with its password; (dict "root" $ "name" "ingest") */}}
{{- define "tidegate.user" -}}
{{ include "tidegate.name" .root }}-{{ .name | replace "_" "-" }}
{{- end }}

{{/* What every process is told; (dict "root" $ "name" "ingest"), the name of its principal */}}
{{- define "tidegate.env" -}}
{{- $kafka := .root.Values.kafka -}}
- {name: TIDEGATE_KAFKA, value: {{ include "tidegate.bootstrap" .root | quote }}}
- {name: TIDEGATE_PREFIX, value: {{ $kafka.prefix | quote }}}
- {name: TIDEGATE_PARTITIONS, value: {{ $kafka.partitions | quote }}}
- {name: TIDEGATE_REPLICATION, value: {{ $kafka.replication | quote }}}
- {name: TIDEGATE_LOG_LEVEL, value: {{ .root.Values.logLevel | quote }}}
{{- with .root.Values.traces }}
{{- if .endpoint }}
- {name: TIDEGATE_TRACES_ENDPOINT, value: {{ .endpoint | quote }}}
- {name: TIDEGATE_TRACES_RATIO, value: {{ .ratio | quote }}}
{{- end }}
{{- end }}
{{- if $kafka.tls }}
- {name: TIDEGATE_KAFKA_TLS, value: "true"}
{{- if include "tidegate.caSecret" .root }}
- {name: TIDEGATE_KAFKA_TLS_CA_FILE, value: /run/secrets/kafka-ca/ca.crt}
{{- end }}
{{- end }}
{{- if $kafka.sasl }}
- {name: TIDEGATE_KAFKA_SASL_MECHANISM, value: {{ $kafka.sasl }}}
- {name: TIDEGATE_KAFKA_SASL_USERNAME, value: {{ include "tidegate.user" . }}}
- {name: TIDEGATE_KAFKA_SASL_PASSWORD_FILE, value: /run/secrets/kafka/password}
{{- end }}
{{- end }}

{{/* Where a container finds the files of its principal; (dict "root" $), and "volume" where it is not the pod's own */}}
{{- define "tidegate.mounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if include "tidegate.caSecret" .root }}
- {name: kafka-ca, mountPath: /run/secrets/kafka-ca, readOnly: true}
{{- end }}
{{- if .root.Values.kafka.sasl }}
- {name: {{ .volume | default "kafka" }}, mountPath: /run/secrets/kafka, readOnly: true}
{{- end }}
{{- end }}

{{/* The volumes of those; (dict "root" $ "name" "ingest") */}}
{{- define "tidegate.volumes" -}}
- {name: tmp, emptyDir: {medium: Memory, sizeLimit: 64Mi}}
{{- if include "tidegate.caSecret" .root }}
- name: kafka-ca
  secret: {secretName: {{ include "tidegate.caSecret" .root }}, items: [{key: ca.crt, path: ca.crt}], defaultMode: 0440}
{{- end }}
{{- if .root.Values.kafka.sasl }}
- name: kafka
  secret: {secretName: {{ include "tidegate.user" . }}, items: [{key: password, path: password}], defaultMode: 0440}
{{- end }}
{{- end }}

{{- define "tidegate.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "tidegate.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "tidegate.scheduling" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
- {name: {{ . }}}
{{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toJson . }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- end }}

{{/*
Everything that runs for ever, a row each: its command, the variable and number of its port, what it is told, which files
of the Secret it gets as TIDEGATE_…_FILE. `user`: its principal, where that is not its name. `keeps`: where it has a volume
of its own; `reads`: where it sees that of the archive. A StatefulSet is who belongs to a group of consumers, since its pods
have names that stay, and who keeps something.
*/}}
{{- define "tidegate.workloads" -}}
{{- $values := .Values -}}
gateway:
  kind: Deployment
  command: [python, -m, services.gateway]
  port: {name: TIDEGATE_GATEWAY_PORT, value: 8080}
  secrets: {TIDEGATE_GATEWAY_TOKENS: gateway-tokens.yaml}
ingest:
  kind: StatefulSet
  command: [python, -m, services.ingest]
  port: {name: TIDEGATE_INGEST_PORT, value: 8000}
  secrets: {TIDEGATE_INGEST_PSEUDONYM_KEY: pseudonym-key, TIDEGATE_INGEST_DEAD_LETTER_KEY: dead-letter-key}
{{- range list "channel" "product" "actor" "complaint" "content" "brand" "market" }}
indicators-{{ . }}:
  kind: StatefulSet
  command: [python, -m, services.indicators, --subject, {{ . }}]
  port: {name: TIDEGATE_INDICATORS_PORT, value: 8000}
{{- end }}
channel-control:
  kind: StatefulSet
  user: channel_control
  command: [python, -m, services.channel_control]
  port: {name: TIDEGATE_CONTROL_PORT, value: 8000}
  env: {TIDEGATE_CONTROL_PLATFORM_URL: {{ $values.control.platformUrl | quote }}}
  secrets: {TIDEGATE_CONTROL_PLATFORM_SECRET: platform-secret}
alerting:
  kind: StatefulSet
  command: [python, -m, services.alerting]
  port: {name: TIDEGATE_ALERTING_PORT, value: 8000}
  env:
    TIDEGATE_ALERTING_WEBHOOK_URL: {{ $values.alerting.webhookUrl | quote }}
    TIDEGATE_ALERTING_HEARTBEAT_URL: {{ $values.alerting.heartbeatUrl | quote }}
    TIDEGATE_CONSOLE_URL: {{ $values.console.url | quote }}
  secrets: {TIDEGATE_ALERTING_WEBHOOK_SECRET: webhook-secret, TIDEGATE_CONSOLE_LINK_KEY: link-key}
console:
  kind: Deployment
  command: [python, -m, services.console]
  port: {name: TIDEGATE_CONSOLE_PORT, value: 8081}
  env:
    TIDEGATE_CONSOLE_URL: {{ $values.console.url | quote }}
    TIDEGATE_CONSOLE_PROXIES: {{ toJson $values.console.proxies | quote }}
    TIDEGATE_CONSOLE_OIDC_ISSUER: {{ $values.console.oidc.issuer | quote }}
    TIDEGATE_CONSOLE_OIDC_CLIENT_ID: {{ $values.console.oidc.clientId | quote }}
    {{- if $values.archive.enabled }}
    TIDEGATE_CONSOLE_BACKTEST_ARCHIVE: /var/lib/tidegate/archive
  reads: /var/lib/tidegate/archive
    {{- end }}
  secrets:
    TIDEGATE_CONSOLE_TOKENS: console-tokens.yaml
    TIDEGATE_CONSOLE_USERS: console-users.yaml
    TIDEGATE_CONSOLE_SESSION_KEY: session-key
    TIDEGATE_CONSOLE_LINK_KEY: link-key
audit:
  kind: StatefulSet
  command: [tidegate, audit, heads, --follow, "300"]
  env: {TIDEGATE_CLI_AUDIT_HEADS: /var/lib/tidegate/audit-heads}
  secrets: {TIDEGATE_CLI_AUDIT_KEY: audit-key}
  keeps: /var/lib/tidegate/audit-heads
{{- if $values.archive.enabled }}
archive:
  kind: StatefulSet
  user: history
  command: [tidegate, archive, --to, /var/lib/tidegate/archive, --follow]
  secrets: {TIDEGATE_INGEST_PSEUDONYM_KEY: pseudonym-key}
  keeps: /var/lib/tidegate/archive
{{- end }}
{{- end }}
