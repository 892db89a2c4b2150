//! Signing in with the accounts of others: Google and LinkedIn, by OpenID Connect.
//!
//! The crate `openidconnect` discovers their pages and keys and verifies ID tokens; what differs between providers is in
//! `Quirks`.

use std::{future::Future, pin::Pin, sync::Arc};

use async_trait::async_trait;
use chrono::DateTime;
use haat_engine::{
    Clock,
    accounts::logins::{Exchange, Identity, IdentityError, IdentityProvider},
    payments::GatewayError,
};
use haat_shared::logins::Provider;
use openidconnect::{
    AsyncHttpClient, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    DiscoveryError, HttpRequest, HttpResponse, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, SignatureVerificationError, TokenResponse,
    core::{
        CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreIdTokenClaims, CoreJwsSigningAlgorithm,
        CoreProviderMetadata,
    },
};
use tokio::sync::Mutex;
use url::Url;

use crate::api;

/// How long what a provider says about itself is believed: its pages and keys.
const BELIEVED_MS: i64 = 3_600_000;
/// By how much the clocks of a provider and of the market may differ.
const SKEW_MS: i64 = 60_000;
/// Google's issuer.
pub const GOOGLE: &str = "https://accounts.google.com";
/// LinkedIn's issuer.
pub const LINKEDIN: &str = "https://www.linkedin.com/oauth";

/// Where a provider differs from the others.
struct Quirks {
    issuer: &'static str,
    /// Whether its ID tokens have the nonce. If one has it, it must be right.
    nonce: bool,
    /// Whether it takes a PKCE verifier from confidential clients.
    pkce: bool,
}

/// LinkedIn leaves the nonce out, and rejects a client that sends a verifier unless it has enabled PKCE for the app. Its
/// `email_verified` may be in quotes, which `openidconnect` reads by a feature of the crate.
fn quirks(provider: Provider) -> Quirks {
    match provider {
        Provider::Google => Quirks { issuer: GOOGLE, nonce: true, pkce: true },
        Provider::LinkedIn => Quirks { issuer: LINKEDIN, nonce: false, pkce: false },
    }
}

/// The issuer of a provider.
pub fn issuer(provider: Provider) -> &'static str {
    quirks(provider).issuer
}

/// An app at a provider.
pub struct Settings {
    /// The provider.
    pub provider: Provider,
    /// The ID of the app.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// The issuer: [`issuer`], or that of a fake.
    pub issuer: String,
}

/// A provider that speaks OpenID Connect.
pub struct OpenId {
    provider: Provider,
    quirks: Quirks,
    client_id: ClientId,
    client_secret: ClientSecret,
    issuer: IssuerUrl,
    http: Http,
    clock: Clock,
    /// What it says about itself, and when it said it.
    known: Mutex<Option<(i64, Arc<CoreProviderMetadata>)>>,
}

/// The client of the gateways, as `openidconnect` calls it.
struct Http(api::Client);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = GatewayError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, GatewayError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.0.pass(request))
    }
}

fn refused(error: impl ToString) -> IdentityError {
    IdentityError::Refused(error.to_string())
}

fn lost(error: &GatewayError) -> IdentityError {
    IdentityError::Unreachable(error.to_string())
}

impl OpenId {
    /// Fails if the issuer is not a URL.
    pub fn new(settings: Settings, clock: Clock) -> Result<Self, String> {
        Ok(Self {
            provider: settings.provider,
            quirks: quirks(settings.provider),
            client_id: ClientId::new(settings.client_id),
            client_secret: ClientSecret::new(settings.client_secret),
            issuer: IssuerUrl::new(settings.issuer).map_err(|e| e.to_string())?,
            http: Http(api::Client::new()),
            clock,
            known: Mutex::new(None),
        })
    }

    /// What the provider says about itself. One request asks at a time, and the others wait for its answer.
    async fn metadata(&self, anew: bool) -> Result<Arc<CoreProviderMetadata>, IdentityError> {
        let mut known = self.known.lock().await;
        let now = self.clock.now_ms();
        let fresh = known.as_ref().filter(|(at, _)| !anew && (0..BELIEVED_MS).contains(&(now - at)));
        if let Some((_, metadata)) = fresh {
            return Ok(metadata.clone());
        }
        let found = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.http).await;
        let metadata = Arc::new(found.map_err(|error| match error {
            DiscoveryError::Request(error) => lost(&error),
            // An error page, or that of another: it isn't there.
            error => IdentityError::Unreachable(error.to_string()),
        })?);
        *known = Some((now, metadata.clone()));
        Ok(metadata)
    }

    /// The claims of an ID token that is the provider's, for this market, for this exchange, and still valid.
    fn verified(
        &self,
        token: &CoreIdToken,
        metadata: &CoreProviderMetadata,
        exchange: &Exchange,
    ) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
        let client = CoreClient::from_provider_metadata(
            metadata.clone(),
            self.client_id.clone(),
            Some(self.client_secret.clone()),
        );
        let now_ms = self.clock.now_ms();
        let expected = Nonce::new(exchange.nonce.clone());
        // Signatures by the secret of the app, or none, are not accepted, whatever the provider says it uses.
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs([
                CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
                CoreJwsSigningAlgorithm::EcdsaP256Sha256,
            ])
            .set_time_fn(move || DateTime::from_timestamp_millis(now_ms).unwrap_or_default())
            .set_issue_time_verifier_fn(move |at| match at.timestamp_millis() <= now_ms + SKEW_MS {
                true => Ok(()),
                false => Err("issued in the future".into()),
            });
        let nonce = |nonce: Option<&Nonce>| match nonce {
            None if !self.quirks.nonce => Ok(()),
            nonce => openidconnect::NonceVerifier::verify(&expected, nonce),
        };
        token.claims(&verifier, nonce).cloned()
    }
}

#[async_trait]
impl IdentityProvider for OpenId {
    fn provider(&self) -> Provider {
        self.provider
    }

    fn origin(&self) -> String {
        self.issuer.url().origin().ascii_serialization()
    }

    async fn page(&self, exchange: &Exchange) -> Result<String, IdentityError> {
        let metadata = self.metadata(false).await?;
        let client = CoreClient::from_provider_metadata((*metadata).clone(), self.client_id.clone(), None)
            .set_redirect_uri(RedirectUrl::new(exchange.return_to.clone()).map_err(refused)?);
        let (state, nonce) = (CsrfToken::new(exchange.state.clone()), Nonce::new(exchange.nonce.clone()));
        let request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || state, || nonce)
            .add_scope(Scope::new("email".into()))
            .add_scope(Scope::new("profile".into()));
        let verifier = PkceCodeVerifier::new(exchange.verifier.clone());
        let request = match self.quirks.pkce {
            true => request.set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier)),
            false => request,
        };
        let (page, ..) = request.url();
        Ok(page.into())
    }

    async fn identity(&self, code: &str, exchange: &Exchange) -> Result<Identity, IdentityError> {
        let metadata = self.metadata(false).await?;
        let client = CoreClient::from_provider_metadata(
            (*metadata).clone(),
            self.client_id.clone(),
            Some(self.client_secret.clone()),
        )
        // LinkedIn takes the secret in the body only, Google in both places.
        .set_auth_type(AuthType::RequestBody)
        .set_redirect_uri(RedirectUrl::new(exchange.return_to.clone()).map_err(refused)?);
        let request = client.exchange_code(AuthorizationCode::new(code.to_owned())).map_err(refused)?;
        let request = match self.quirks.pkce {
            true => request.set_pkce_verifier(PkceCodeVerifier::new(exchange.verifier.clone())),
            false => request,
        };
        let tokens = request.request_async(&self.http).await.map_err(|error| match error {
            RequestTokenError::Request(error) => lost(&error),
            // Not the whole response, which may have tokens in it.
            RequestTokenError::Parse(..) => refused("the response with the tokens is unreadable"),
            error => refused(error),
        })?;
        let token = tokens.id_token().ok_or_else(|| refused("no ID token"))?;
        let claims = match self.verified(token, &metadata, exchange) {
            // It may have new keys.
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => self.verified(token, &*self.metadata(true).await?, exchange),
            verified => verified,
        };
        let claims = claims.map_err(refused)?;
        let name = claims.name().and_then(|name| name.get(None));
        Ok(Identity {
            subject: claims.subject().to_string(),
            email: claims.email().map(|email| email.to_string()).unwrap_or_default(),
            verified: claims.email_verified() == Some(true),
            name: name.map(|name| name.to_string()).unwrap_or_default(),
        })
    }
}

/// Whether an issuer is one that [`OpenId::new`] accepts.
pub fn check(issuer: &str) -> Result<(), &'static str> {
    match Url::parse(issuer) {
        Ok(url)
            if ["http", "https"].contains(&url.scheme())
                && url.has_host()
                && url.query().is_none()
                && url.fragment().is_none() =>
        {
            Ok(())
        }
        _ => Err("it is not the URL of an issuer, such as https://accounts.google.com"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_are_urls_without_a_query() {
        for good in [GOOGLE, LINKEDIN, "http://127.0.0.1:4000"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", "accounts.google.com", "ftp://host", "https://host/?a=b", "https://host/#a"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
