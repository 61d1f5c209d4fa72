import {
  boolean,
  className,
  double,
  int,
  list,
  long,
  password,
  refused,
  type Setting,
  section,
  short,
  string,
} from './setting.ts';

/** Settings of the broker: authorization, TLS and SASL. */
export const securitySettings: readonly Setting[] = [
  ...section(
    'Authorization and identity',
    refused('security is not built; leave it at its default'),
    [
      string('authorizer.class.name', '', 'Class that decides who may do what.', {
        effect: refused('authorization is not built'),
      }),
      className(
        'principal.builder.class',
        'org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder',
        'Class that makes a principal of a connection.',
        { dynamic: true },
      ),
      string('security.providers', null, 'Classes that provide security algorithms.'),
      long(
        'delegation.token.expiry.check.interval.ms',
        3_600_000n,
        'How often expired delegation tokens are removed.',
        { min: 1 },
      ),
      long(
        'delegation.token.expiry.time.ms',
        86_400_000n,
        'How long a delegation token lives between renewals.',
        { min: 1 },
      ),
      long(
        'delegation.token.max.lifetime.ms',
        604_800_000n,
        'How long a delegation token may be renewed.',
        { min: 1 },
      ),
      password('delegation.token.secret.key', null, 'Key that signs delegation tokens.'),
    ],
  ),
  ...section('TLS', refused('TLS is not built; leave it at its default'), [
    boolean('ssl.allow.dn.changes', false, 'Whether a new certificate may carry another name.'),
    boolean(
      'ssl.allow.san.changes',
      false,
      'Whether a new certificate may carry other alternative names.',
    ),
    list('ssl.cipher.suites', [], 'Cipher suites; empty for the default ones.', { dynamic: true }),
    string('ssl.client.auth', 'none', 'Whether clients must show a certificate.', {
      oneOf: ['required', 'requested', 'none'],
      dynamic: true,
    }),
    list('ssl.enabled.protocols', ['TLSv1.2', 'TLSv1.3'], 'TLS versions that are offered.', {
      dynamic: true,
    }),
    string(
      'ssl.endpoint.identification.algorithm',
      'https',
      'How the host name of a server is checked.',
      { dynamic: true },
    ),
    className('ssl.engine.factory.class', null, 'Class that makes TLS engines.', { dynamic: true }),
    password('ssl.key.password', null, 'Password of the private key.', { dynamic: true }),
    string('ssl.keymanager.algorithm', 'SunX509', 'Algorithm of the key manager.', {
      dynamic: true,
    }),
    password('ssl.keystore.certificate.chain', null, 'Certificate chain in PEM.', {
      dynamic: true,
    }),
    password('ssl.keystore.key', null, 'Private key in PEM.', { dynamic: true }),
    string('ssl.keystore.location', null, 'File of the key store.', { dynamic: true }),
    password('ssl.keystore.password', null, 'Password of the key store.', { dynamic: true }),
    string('ssl.keystore.type', 'JKS', 'Format of the key store.', { dynamic: true }),
    string(
      'ssl.principal.mapping.rules',
      'DEFAULT',
      "Rules that turn a certificate's name into a user.",
    ),
    string('ssl.protocol', 'TLSv1.3', 'TLS version of the context.', { dynamic: true }),
    string('ssl.provider', null, 'Security provider for TLS.', { dynamic: true }),
    string('ssl.secure.random.implementation', null, 'Random number generator for TLS.', {
      dynamic: true,
    }),
    string('ssl.trustmanager.algorithm', 'PKIX', 'Algorithm of the trust manager.', {
      dynamic: true,
    }),
    password('ssl.truststore.certificates', null, 'Trusted certificates in PEM.', {
      dynamic: true,
    }),
    string('ssl.truststore.location', null, 'File of the trust store.', { dynamic: true }),
    password('ssl.truststore.password', null, 'Password of the trust store.', { dynamic: true }),
    string('ssl.truststore.type', 'JKS', 'Format of the trust store.', { dynamic: true }),
  ]),
  ...section('SASL', refused('SASL is not built; leave it at its default'), [
    className('sasl.client.callback.handler.class', null, 'Callback handler of SASL clients.'),
    list('sasl.enabled.mechanisms', ['GSSAPI'], 'SASL mechanisms that are offered.', {
      dynamic: true,
    }),
    password('sasl.jaas.config', null, 'Login settings of a listener.', { dynamic: true }),
    string('sasl.kerberos.kinit.cmd', '/usr/bin/kinit', 'Path of kinit.', { dynamic: true }),
    long(
      'sasl.kerberos.min.time.before.relogin',
      60_000n,
      'Shortest time between two Kerberos logins.',
      { dynamic: true },
    ),
    list(
      'sasl.kerberos.principal.to.local.rules',
      ['DEFAULT'],
      'Rules that turn a Kerberos principal into a user.',
      { dynamic: true },
    ),
    string('sasl.kerberos.service.name', null, 'Kerberos name of the service.', { dynamic: true }),
    double('sasl.kerberos.ticket.renew.jitter', 0.05, 'Random share of the renewal time.', {
      dynamic: true,
    }),
    double(
      'sasl.kerberos.ticket.renew.window.factor',
      0.8,
      "Share of a ticket's life after which it is renewed.",
      { dynamic: true },
    ),
    className('sasl.login.callback.handler.class', null, 'Callback handler of logins.'),
    className('sasl.login.class', null, 'Class that logs in.'),
    int('sasl.login.connect.timeout.ms', null, 'Longest time to connect to the identity provider.'),
    int('sasl.login.read.timeout.ms', null, 'Longest time to read from the identity provider.'),
    short(
      'sasl.login.refresh.buffer.seconds',
      300,
      'Time kept between a refresh and the end of a credential.',
      { dynamic: true },
    ),
    short('sasl.login.refresh.min.period.seconds', 60, 'Shortest time between two refreshes.', {
      dynamic: true,
    }),
    double(
      'sasl.login.refresh.window.factor',
      0.8,
      "Share of a credential's life after which it is refreshed.",
      { dynamic: true },
    ),
    double('sasl.login.refresh.window.jitter', 0.05, 'Random share of the refresh time.', {
      dynamic: true,
    }),
    long('sasl.login.retry.backoff.max.ms', 10_000n, 'Longest pause after a failed login.'),
    long('sasl.login.retry.backoff.ms', 100n, 'First pause after a failed login.'),
    string('sasl.mechanism.controller.protocol', 'GSSAPI', 'SASL mechanism towards controllers.'),
    string('sasl.mechanism.inter.broker.protocol', 'GSSAPI', 'SASL mechanism between brokers.', {
      dynamic: true,
    }),
    boolean(
      'sasl.oauthbearer.allow.unverified.audience',
      false,
      "Whether a token's audience may go unchecked.",
    ),
    boolean(
      'sasl.oauthbearer.allow.unverified.issuer',
      false,
      "Whether a token's issuer may go unchecked.",
    ),
    string('sasl.oauthbearer.assertion.algorithm', 'RS256', 'Signature algorithm of assertions.', {
      oneOf: ['ES256', 'RS256'],
      ignoresCase: true,
    }),
    string('sasl.oauthbearer.assertion.claim.aud', null, 'Audience claim of assertions.'),
    int('sasl.oauthbearer.assertion.claim.exp.seconds', 300, 'Life of an assertion.', {
      min: 0,
      max: 86_400,
    }),
    string('sasl.oauthbearer.assertion.claim.iss', null, 'Issuer claim of assertions.'),
    boolean(
      'sasl.oauthbearer.assertion.claim.jti.include',
      false,
      'Whether assertions carry an id.',
    ),
    int(
      'sasl.oauthbearer.assertion.claim.nbf.seconds',
      60,
      'How far back an assertion is already valid.',
      { min: 0, max: 3600 },
    ),
    string('sasl.oauthbearer.assertion.claim.sub', null, 'Subject claim of assertions.'),
    string('sasl.oauthbearer.assertion.file', null, 'File of a ready assertion.'),
    string(
      'sasl.oauthbearer.assertion.private.key.file',
      null,
      'File of the key that signs assertions.',
    ),
    password('sasl.oauthbearer.assertion.private.key.passphrase', null, 'Passphrase of that key.'),
    string(
      'sasl.oauthbearer.assertion.template.file',
      null,
      'File with further claims of assertions.',
    ),
    string(
      'sasl.oauthbearer.client.credentials.client.id',
      null,
      'Client id towards the identity provider.',
    ),
    password(
      'sasl.oauthbearer.client.credentials.client.secret',
      null,
      'Client secret towards the identity provider.',
    ),
    int('sasl.oauthbearer.clock.skew.seconds', 30, 'Difference of clocks that is tolerated.'),
    list('sasl.oauthbearer.expected.audience', [], 'Audiences a token may name.'),
    string('sasl.oauthbearer.expected.issuer', null, 'Issuer a token must name.'),
    long(
      'sasl.oauthbearer.jwks.endpoint.refresh.ms',
      3_600_000n,
      "How often the provider's keys are read again.",
    ),
    long(
      'sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms',
      10_000n,
      'Longest pause after the keys could not be read.',
    ),
    long(
      'sasl.oauthbearer.jwks.endpoint.retry.backoff.ms',
      100n,
      'First pause after the keys could not be read.',
    ),
    string('sasl.oauthbearer.jwks.endpoint.url', null, "Where the provider's keys are."),
    className(
      'sasl.oauthbearer.jwt.retriever.class',
      'org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever',
      'Class that gets tokens.',
    ),
    className(
      'sasl.oauthbearer.jwt.validator.class',
      'org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator',
      'Class that checks tokens.',
    ),
    string('sasl.oauthbearer.scope', null, 'Scope that is asked for.'),
    string('sasl.oauthbearer.scope.claim.name', 'scope', 'Name of the scope claim.'),
    string('sasl.oauthbearer.sub.claim.name', 'sub', 'Name of the subject claim.'),
    string('sasl.oauthbearer.token.endpoint.url', null, 'Where tokens are issued.'),
    className('sasl.server.callback.handler.class', null, 'Callback handler of the server.'),
    int('sasl.server.max.receive.size', 524_288, 'Largest SASL message that is taken.'),
  ]),
];
