import { SECRET_NAME, type SnippetFacts, type SnippetTarget } from './target.ts'

/** Spring Boot with spring-boot-starter-oauth2-client; PKCE and other algorithms than RS256 need a bean each. */
export const spring: SnippetTarget = {
  types: ['web'],
  algorithms: /^(RS|PS|ES|HS)/,
  callback: {
    pattern: /\/login\/oauth2\/code\/[\w-]+$/,
    example: 'https://app.example/login/oauth2/code/latchkey',
  },
  files: (facts) => [
    {
      path: 'src/main/resources/application.yaml',
      content: `# src/main/resources/application.yaml
spring:
  security:
    oauth2:
      client:
        registration:
          ${registrationOf(facts)}:
            provider: latchkey
            client-id: "${facts.clientId}"
            client-secret: "\${${SECRET_NAME}}"
            client-authentication-method: ${facts.authMethod}
            authorization-grant-type: authorization_code
            redirect-uri: "${facts.redirectUri}"
            scope: [${facts.scope.split(' ').join(', ')}]
        provider:
          latchkey:
            issuer-uri: "${facts.issuer}"
`,
    },
    {
      path: 'src/main/java/com/example/app/SecurityConfig.java',
      content: securityConfig(facts),
    },
  ],
}

function securityConfig(facts: SnippetFacts): string {
  const { algorithm, afterLogout } = facts
  const kind = algorithm.startsWith('HS') ? 'MacAlgorithm' : 'SignatureAlgorithm'
  const isUsual = algorithm === 'RS256'
  const imports = [
    'org.springframework.context.annotation.Bean',
    'org.springframework.context.annotation.Configuration',
    'org.springframework.security.config.annotation.web.builders.HttpSecurity',
    'org.springframework.security.oauth2.client.registration.ClientRegistrationRepository',
    'org.springframework.security.oauth2.client.web.DefaultOAuth2AuthorizationRequestResolver',
    'org.springframework.security.oauth2.client.web.OAuth2AuthorizationRequestCustomizers',
    'org.springframework.security.web.SecurityFilterChain',
    ...(afterLogout === undefined
      ? []
      : ['org.springframework.security.oauth2.client.oidc.web.logout.OidcClientInitiatedLogoutSuccessHandler']),
    ...(isUsual
      ? []
      : [
          'org.springframework.security.oauth2.client.oidc.authentication.OidcIdTokenDecoderFactory',
          'org.springframework.security.oauth2.client.registration.ClientRegistration',
          `org.springframework.security.oauth2.jose.jws.${kind}`,
          'org.springframework.security.oauth2.jwt.JwtDecoderFactory',
        ]),
  ].toSorted()
  return `// src/main/java/com/example/app/SecurityConfig.java
package com.example.app;

${imports.map((name) => `import ${name};`).join('\n')}

@Configuration
class SecurityConfig {
    @Bean
    SecurityFilterChain security(HttpSecurity http, ClientRegistrationRepository clients) throws Exception {
        var requests = new DefaultOAuth2AuthorizationRequestResolver(clients, "/oauth2/authorization");
        requests.setAuthorizationRequestCustomizer(OAuth2AuthorizationRequestCustomizers.withPkce());
${afterLogout === undefined ? '' : signOut(afterLogout)}        http.authorizeHttpRequests(rules -> rules.anyRequest().authenticated());
        http.oauth2Login(login -> login.authorizationEndpoint(endpoint -> endpoint.authorizationRequestResolver(requests)));
${afterLogout === undefined ? '' : '        http.logout(logout -> logout.logoutSuccessHandler(signOut));\n'}        return http.build();
    }
${isUsual ? '' : decoder(`${kind}.${algorithm}`)}}
`
}

function signOut(afterLogout: string): string {
  return `        var signOut = new OidcClientInitiatedLogoutSuccessHandler(clients);
        signOut.setPostLogoutRedirectUri("${afterLogout}");
`
}

function decoder(algorithm: string): string {
  return `
    @Bean
    JwtDecoderFactory<ClientRegistration> idTokenDecoderFactory() {
        var factory = new OidcIdTokenDecoderFactory();
        factory.setJwsAlgorithmResolver(client -> ${algorithm});
        return factory;
    }
`
}

function registrationOf({ redirectUri }: SnippetFacts): string {
  return new URL(redirectUri).pathname.split('/').at(-1) ?? ''
}
