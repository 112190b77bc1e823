{{- define "sluice.podSecurity" -}}
{{- if eq (include "sluice.privilegedPorts" .) "Root" -}}
runAsNonRoot: false
runAsUser: 0
runAsGroup: 0
seccompProfile:
  type: RuntimeDefault
{{- else -}}
{{- include "sluice.plainSecurity" . }}
{{- end }}
{{- if eq (include "sluice.privilegedPorts" .) "PodSysctl" }}
sysctls:
- name: net.ipv4.ip_unprivileged_port_start
  value: "0"
{{- end }}
{{- if and .Values.cache.enabled (hasKey .Values.cache.volume "persistentVolumeClaim") (not (hasKey .Values.podSecurityContext "fsGroup")) }}
# The volume's root becomes writable once; what Sluice makes in it stays closed to the group.
fsGroup: {{ default 15480 .Values.runAsGroup | int }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
{{- with .Values.podSecurityContext }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "sluice.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Flags that run and retire have in common, where they differ from the defaults or depend on the release. */}}
{{- define "sluice.commonArgs" -}}
{{- $name := include "sluice.fullname" . -}}
- --controller-name={{ .Values.controllerName }}
- --gateway-class={{ .Values.gatewayClass.name }}
- --namespace={{ .Release.Namespace }}
- --marker-config-map={{ $name }}
{{- with .Values.watchNamespaces }}
- --watch-namespaces={{ join "," . }}
{{- end }}
- --log-format={{ .Values.config.logFormat }}
- --log-level={{ .Values.config.logLevel }}
{{- end -}}

{{- define "sluice.runArgs" -}}
{{- $c := .Values.config -}}
- run
{{ include "sluice.commonArgs" . }}
- --exposure={{ .Values.exposure }}
- --pod-selector=app.kubernetes.io/name=sluice,app.kubernetes.io/instance={{ .Release.Name }}
- --port-range={{ .Values.portRange }}
- --accept-grace={{ include "sluice.acceptGrace" . }}s
- --drain-deadline={{ int .Values.shutdown.drainDeadlineSeconds }}s
- --readiness-on-shutdown={{ $c.readinessOnShutdown }}
- --probe-address=[::]:{{ int $c.probePort }}
- --admin-address={{ $c.adminAddress }}
{{- with $c.adminHosts }}
- --admin-hosts={{ join "," . }}
{{- end }}
{{- if not (kindIs "invalid" $c.workers) }}
- --workers={{ int $c.workers }}
{{- end }}
{{- if not (kindIs "invalid" $c.maxConnections) }}
- --max-connections={{ int $c.maxConnections }}
{{- end }}
- --buffer-memory={{ $c.bufferMemory }}
- --access-log={{ $c.accessLog }}
{{- with $c.events }}
{{- if .sink }}
- --event-sink={{ .sink }}
- --event-spool-size={{ .spoolSize }}
- --event-source={{ .source }}
{{- with .spool }}
- --event-spool={{ . }}
{{- end }}
{{- with .caFile }}
- --event-ca-file={{ . }}
{{- end }}
{{- with .tokenFile }}
- --event-token-file={{ . }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.cache }}
{{- if .enabled }}
- --cache-directory=/var/cache/sluice/state
{{- if .keySecret }}
- --cache-key-file=/etc/sluice-cache/{{ .keySecretKey }}
{{- end }}
{{- if .secrets }}
- --cache-secrets=true
{{- end }}
{{- with .maxAge }}
- --cache-max-age={{ . }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "sluice.volumeMounts" -}}
{{- if .Values.serviceAccount.tokenSeconds }}
- name: api-access
  mountPath: /var/run/secrets/kubernetes.io/serviceaccount
  readOnly: true
{{- end }}
{{- with .Values.cache }}
{{- if .enabled }}
- name: sluice-cache
  mountPath: /var/cache/sluice
{{- if .keySecret }}
- name: sluice-cache-keys
  mountPath: /etc/sluice-cache
  readOnly: true
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "sluice.volumes" -}}
{{- with .Values.serviceAccount.tokenSeconds }}
# As the kubelet mounts it by itself, but for the life of the token.
- name: api-access
  projected:
    sources:
    - serviceAccountToken:
        path: token
        expirationSeconds: {{ int . }}
    - configMap:
        name: kube-root-ca.crt
        items:
        - key: ca.crt
          path: ca.crt
    - downwardAPI:
        items:
        - path: namespace
          fieldRef:
            apiVersion: v1
            fieldPath: metadata.namespace
{{- end }}
{{- with .Values.cache }}
{{- if .enabled }}
- name: sluice-cache
  {{- default (dict "emptyDir" (dict "sizeLimit" "256Mi")) .volume | toYaml | nindent 2 }}
{{- with .keySecret }}
- name: sluice-cache-keys
  secret:
    secretName: {{ . }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What decides which node a pod may run on. */}}
{{- define "sluice.scheduling" -}}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "sluice.pod" -}}
metadata:
  labels:
    {{- include "sluice.podLabels" (dict "root" . "more" .Values.podLabels) | nindent 4 }}
  {{- with merge (dict) .Values.podAnnotations .Values.commonAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "sluice.serviceAccount" . }}
  automountServiceAccountToken: {{ not .Values.serviceAccount.tokenSeconds }}
  # The Services of Gateways stand in this namespace: their variables would grow without bound.
  enableServiceLinks: false
  # Pause, accept grace, drain deadline, and 10 s.
  terminationGracePeriodSeconds: {{ include "sluice.terminationSeconds" . }}
  {{- if .Values.hostNetwork }}
  hostNetwork: true
  {{- end }}
  {{- with default (ternary "ClusterFirstWithHostNet" "" .Values.hostNetwork) .Values.dnsPolicy }}
  dnsPolicy: {{ . }}
  {{- end }}
  {{- with .Values.dnsConfig }}
  dnsConfig:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    {{- include "sluice.podSecurity" . | nindent 4 }}
  {{- with include "sluice.scheduling" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if and .Values.topologySpreadConstraints (eq .Values.kind "Deployment") }}
  topologySpreadConstraints:
  {{- range .Values.topologySpreadConstraints }}
  - {{ toYaml . | nindent 4 | trim }}
    {{- if not .labelSelector }}
    labelSelector:
      matchLabels:
        {{- include "sluice.selector" $ | nindent 8 }}
    {{- end }}
  {{- end }}
  {{- end }}
  containers:
  - name: sluice
    image: {{ include "sluice.image" . | quote }}
    imagePullPolicy: {{ .Values.image.pullPolicy }}
    args:
    {{- include "sluice.runArgs" . | nindent 4 }}
    env:
    - name: SLUICE_POD_NAME
      valueFrom:
        fieldRef:
          fieldPath: metadata.name
    - name: SLUICE_NODE_NAME
      valueFrom:
        fieldRef:
          fieldPath: spec.nodeName
    {{- with .Values.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    ports:
    - name: probes
      containerPort: {{ int .Values.config.probePort }}
      protocol: TCP
    livenessProbe:
      httpGet:
        path: /livez
        port: probes
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 6
    readinessProbe:
      httpGet:
        path: /readyz
        port: probes
      periodSeconds: 5
      timeoutSeconds: 3
    {{- with int .Values.shutdown.preStopSeconds }}
    lifecycle:
      preStop:
        sleep:
          seconds: {{ . }}
    {{- end }}
    {{- with .Values.resources }}
    resources:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    securityContext:
      {{- include "sluice.containerSecurity" . | nindent 6 }}
      {{- if eq (include "sluice.privilegedPorts" .) "Root" }}
        add: [NET_BIND_SERVICE]
      {{- end }}
    {{- with include "sluice.volumeMounts" . | trim }}
    volumeMounts:
    {{- . | nindent 4 }}
    {{- end }}
  {{- with include "sluice.volumes" . | trim }}
  volumes:
  {{- . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Of pods that bind no port below 1024. */}}
{{- define "sluice.plainSecurity" -}}
runAsNonRoot: true
{{- with .Values.runAsUser }}
runAsUser: {{ int . }}
{{- end }}
{{- with .Values.runAsGroup }}
runAsGroup: {{ int . }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "sluice.smallResources" -}}
requests:
  cpu: 10m
  memory: 32Mi
limits:
  memory: 128Mi
{{- end -}}
